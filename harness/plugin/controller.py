"""The process that owns a run: it starts the target, watches it, stops it, and sums up."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from harness import targets
from harness.config.plan import Plan
from harness.core.errors import HarnessError
from harness.core.exchange import Exchange
from harness.plugin import _xdist_compat, collected
from harness.plugin.health_monitor import HealthMonitor
from harness.plugin.interrupts import Interrupts
from harness.plugin.other_side import OTHER, OtherOwner, OtherSide
from harness.plugin.session import STOPPED, TROUBLE, Run, blames_target
from harness.plugin.target_starter import Starter
from harness.plugin.xdist_workers import XdistWorkers
from harness.report import terminal
from harness.report.terminal import Screen
from harness.suites import files
from harness.suites.connection import Wire
from harness.suites.items import DIFFERENCE

# How long workers may take to end once the target has broken. Seconds.
WORKERS_END = 0.5


class Owner(Run):
    """The run's main process; with xdist, the controller."""

    def __init__(
        self, config: pytest.Config, plan: Plan, wire: Wire, other: OtherSide | None = None
    ) -> None:
        super().__init__(plan, wire, other=other)
        self._config = config
        self._session: pytest.Session | None = None
        self._screen = Screen(config)
        self._target = targets.make(plan, self._screen.progress)
        self._error: HarnessError | None = None
        self._monitor = HealthMonitor(self._target, self._broken)
        config.pluginmanager.register(self._monitor, "placement-lookout")
        self._workers = XdistWorkers(config, plan, self.tally, self._fail, self._broken)
        self._starter = Starter(self._target, in_workers=self._workers.run_tests)
        config.pluginmanager.register(self._workers, "placement-workers")
        self._other: OtherOwner | None = None
        if other is not None:
            progress, in_workers = self._screen.progress, self._workers.run_tests
            self._other = OtherOwner(other, self._target, progress, in_workers=in_workers)
        # How many tests were judged by a declared difference.
        self._differences = 0
        self._interrupts = Interrupts(self._reason_to_stop)

    def error(self) -> HarnessError | None:
        """The error that kept the run from starting or ended it early."""
        return self._error

    # Before the first test

    def pytest_report_header(self) -> str:
        return terminal.header(self.plan, is_cluster=targets.kind_of(self.plan).is_cluster)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session
        self._interrupts.install()

    def _reason_to_stop(self) -> str | None:
        """What pytest shows when a signal ends the run; None when the run has ended already.

        The health monitor sends SIGTERM, too; it is late when the monitor has stopped.
        """
        if self._error and self._monitor.stopped:
            return None
        return STOPPED if self._error else "terminated"

    def pytest_itemcollected(self) -> None:
        # The target starts while pytest reads the other suites.
        self._begin()

    def _begin(self) -> None:
        """Start what this process is to start, in threads."""
        if self._collects_only:
            return
        self._starter.begin()
        if self._other is not None:
            self._other.begin()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        # After an error, and with --lf, a directory may rightly show no tests.
        if not session.testsfailed and not self._config.getoption("lf", False):
            self._refuse_directory(item.path for item in items)

    def _refuse_directory(self, paths: Iterable[Path]) -> None:
        empty = files.without_tests(self._config, paths)
        if empty is not None:
            raise pytest.UsageError(
                f"{empty} has no suites and no Python tests. Suites are .yaml files directly in a "
                f"given directory, or in one whose name begins or ends with {files.DIRECTORY}. "
                f"--suite {files.DIRECTORY} runs the suites of placement-harness."
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Wait for the target; True, which ends the loop, when the target cannot be had."""
        if self._collects_only or not (self._distributed or session.items):
            return None
        if session.testsfailed and not self._config.getoption("continue_on_collection_errors"):
            return None
        return None if self._ready() else True

    def _ready(self) -> bool:
        try:
            self._starter.wait(self._screen.flush)
            if self._other is not None:
                self._other.wait(self.target, self._screen.flush)
            if self._distributed:
                self._workers.hand_out(self._share)
            else:
                self.connect(self.target)
            self._screen.settings("target", self.target.settings())
            if self._other is not None:
                self._screen.settings("beside", self._other.target.settings())
        except HarnessError as error:
            self._fail(error)
            _xdist_compat.wait_less_for_workers(self._config, WORKERS_END)
            return False
        self._monitor.start()
        return True

    def _share(self, number: int) -> dict[str, object]:
        """Data with which the worker of this number attaches to its targets."""
        share = dict(self.target.share(number))
        return share if self._other is None else {**share, OTHER: self._other.share(number)}

    # While tests run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self._differences += any(name == DIFFERENCE for name, _ in report.user_properties)
        if report.when == "call" and getattr(report, TROUBLE, False) and self._starter.begun:
            self._monitor.look()

    def broke(self, error: BaseException) -> None:
        if blames_target(error):
            self._broken(error)

    def _broken(self, error: HarnessError) -> None:
        """End the run: its target has broken. The health monitor's thread calls this, too."""
        self._fail(error)
        if self._session is not None:
            self._session.shouldstop = STOPPED
        _xdist_compat.wait_less_for_workers(self._config, WORKERS_END)
        _xdist_compat.stop(self._config, STOPPED)

    def _fail(self, error: HarnessError) -> None:
        """Keep the first error: later ones follow from it."""
        self._error = self._error or error

    @property
    def _collects_only(self) -> bool:
        return collected.only_looks(self._config)

    # xdist

    @property
    def _distributed(self) -> bool:
        return _xdist_compat.is_controller(self._config)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self) -> None:
        """Start the target while the workers read the suites."""
        self._refuse_directory(files.candidates(self._config))
        self._begin()

    def exchanges_of_workers(self) -> list[Exchange]:
        """The exchanges that workers have written down, until the run stops."""
        return self._workers.exchanges()

    # After the last test

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        super().pytest_keyboard_interrupt(excinfo)
        self._interrupts.ignore_ctrl_c()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.lost_observer is not None:
            self._fail(self.lost_observer)
        self._stop()
        proven = terminal.unproven(self.tally, self.target.replicas) is None
        if session.exitstatus == pytest.ExitCode.OK and not proven:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self) -> None:
        self._screen.summary(self.tally, self.target.replicas, self._differences)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        self._stop()
        if self._error is not None:
            self._screen.failed(self._error)
            if self._session is not None:
                self._session.exitstatus = self._error.exit_code

    def _stop(self) -> None:
        try:
            self._monitor.stop()
            self._workers.close()
            self.disconnect()
            try:
                self._starter.stop(self._screen.flush)
            finally:
                if self._other is not None:
                    self._other.stop(self._screen.flush)
        except HarnessError as error:
            if self._error is not None:
                # The run ends with its first error; this one says what is left.
                self._screen.progress(str(error))
            self._fail(error)
        except KeyboardInterrupt:
            # A second Ctrl-C while stopping: the target has been stopped nevertheless.
            if self._session is not None:
                self._session.exitstatus = pytest.ExitCode.INTERRUPTED
        finally:
            self._interrupts.restore()
