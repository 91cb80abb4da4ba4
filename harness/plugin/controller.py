"""The process that owns a run: it starts the target, watches it, stops it, and sums up."""

import signal
from types import FrameType
from typing import Any

import pytest

from harness import targets
from harness.config.plan import ADOPTED, Plan
from harness.core.errors import HarnessError
from harness.plugin.health_monitor import Lookout
from harness.plugin.session import STOPPED, TROUBLE, Run, blames_target
from harness.plugin.target_starter import Starter
from harness.plugin.worker_handoff import Meeting
from harness.report import terminal
from harness.report.terminal import Screen
from harness.suites import items
from harness.suites.connection import Wire
from harness.suites.items import DIFFERENCE
from harness.upstream import fixture_data

# How long xdist waits for its workers to end once the target has broken. Seconds.
WORKERS_END = 0.5


class Owner(Run):
    """The run's own process; with xdist, the controller."""

    def __init__(self, config: pytest.Config, plan: Plan, wire: Wire) -> None:
        super().__init__(plan, wire)
        self._config = config
        self._session: pytest.Session | None = None
        self._screen = Screen(config)
        self._target = targets.make(plan, self._screen.progress)
        self._starter = Starter(self._target)
        self._error: HarnessError | None = None
        self._lookout = Lookout(self._target, self._broken)
        config.pluginmanager.register(self._lookout, "placement-lookout")
        # The number of each xdist worker that lives, and where all of them learn of the target.
        self._workers: dict[Any, int] = {}
        self._meeting = Meeting()
        # Tests that were held to a declared difference.
        self._differences = 0
        # What was there before, of each signal that ends the run as Ctrl-C does.
        self._ending: dict[signal.Signals, Any] = {}
        self._sigint: Any = None

    def error(self) -> HarnessError | None:
        """Why the run could not be made, or not to its end."""
        return self._error

    # Before the first test

    def pytest_report_header(self) -> str:
        return terminal.header(self.plan)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session
        # nohup lets a run outlive its terminal.
        outlives = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        for number in (signal.SIGTERM, *([] if outlives else [signal.SIGHUP])):
            self._ending[number] = signal.signal(number, self._interrupt)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """End as Ctrl-C does at a closed terminal or a termination request (the lookout's, too)."""
        if not (self._error and self._lookout.stopped):
            raise KeyboardInterrupt(STOPPED if self._error else "terminated")

    def pytest_itemcollected(self) -> None:
        # Starting goes on while the other suites are read.
        if not self._config.option.collectonly:
            self._starter.begin()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        # After an error, and with --lf, a directory may rightly show no tests.
        if not session.testsfailed and not self._config.getoption("lf", False):
            self._refuse_directory(item.path for item in items)

    def _refuse_directory(self, paths: Any) -> None:
        empty = items.without_tests(self._config, paths)
        if empty is not None:
            raise pytest.UsageError(
                f"{empty} has no suites and no Python tests. Suites are .yaml files directly in a "
                f"given directory, or in one whose name begins with {items.DIRECTORY}. "
                f"--suite {items.DIRECTORY} runs the suites of placement-harness."
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Wait for the target; True, which ends the loop, when it cannot be had."""
        if self._config.option.collectonly or not (self._distributed or session.items):
            return None
        if session.testsfailed and not self._config.option.continue_on_collection_errors:
            return None
        return None if self._ready() else True

    def _ready(self) -> bool:
        try:
            if not (self._distributed and getattr(self.target, "per_process", False)):
                self._starter.wait(self._screen.flush)
            if self._distributed:
                self._meeting.open([self.target.share(number) for number in self._numbers])
            else:
                self.connect(self.target)
            self._screen.settings(self.target.settings())
        except HarnessError as error:
            self._fail(error)
            self._hurry()
            return False
        self._lookout.start()
        return True

    # While tests run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self._differences += any(name == DIFFERENCE for name, _ in report.user_properties)
        if report.when == "call" and getattr(report, TROUBLE, False) and self._starter.begun:
            self._lookout.look()

    def broke(self, error: BaseException) -> None:
        if blames_target(error):
            self._broken(error)

    def _broken(self, error: HarnessError) -> None:
        """End the run: its target has broken. Called from the lookout's thread, too."""
        self._fail(error)
        if self._session is not None:
            self._session.shouldstop = STOPPED
        if self._distributed:
            self._hurry().shouldstop = STOPPED

    def _hurry(self) -> Any:
        """Let xdist, if it is there, not wait 10 s for workers that wait for an answer."""
        controller = self._config.pluginmanager.get_plugin("dsession")
        if controller is not None:
            controller.nodemanager.EXIT_TIMEOUT = WORKERS_END
        return controller

    def _fail(self, error: HarnessError) -> None:
        """Remember why the run cannot be made: the first reason, others follow from it."""
        self._error = self._error or error

    # xdist

    @property
    def _distributed(self) -> bool:
        return self._config.pluginmanager.has_plugin("dsession")

    @property
    def _numbers(self) -> range:
        return range(len(self._config.option.tx))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self) -> None:
        """Start while the workers read the suites."""
        self._refuse_directory(items.candidates(self._config))
        if not getattr(self.target, "per_process", False):
            self._starter.begin()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        # Of xdist, which need not be installed.
        from harness.plugin import xdist_scheduler

        return xdist_scheduler.make(config, log)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        self._workers[node] = min(set(self._numbers) - set(self._workers.values()))
        try:
            node.workerinput["placement"] = self._meeting.place(self._workers[node])
        except HarnessError as error:
            self._fail(error)
            pytest.exit(STOPPED, error.exit_code)
        # The stack may be started anew by now, and have nothing to adopt.
        node.workerinput["placement_plan"] = {one: getattr(self.plan, one) for one in ADOPTED}
        # A worker that looked for the suites itself would resolve the placements again.
        suites = fixture_data.chosen_suites()
        node.workerinput["placement_own_suites"] = None if suites is None else str(suites)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        # One that died is replaced, and has left its lane to that.
        self._workers.pop(node, None)
        output = getattr(node, "workeroutput", {})
        if "placement" in output:
            self.tally.merge(output["placement"])
        if "placement_error" in output:
            problem, remedy, evidence = output["placement_error"]
            self._fail(HarnessError(problem, remedy, evidence=evidence))

    # After the last test

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        super().pytest_keyboard_interrupt(excinfo)
        # What is left to do takes seconds; a second Ctrl-C in its midst would make a mess of it.
        if self._sigint is None:
            self._sigint = signal.signal(signal.SIGINT, lambda *_: None)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
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
            self._lookout.stop()
            self._meeting.close()
            self.disconnect()
            self._starter.stop(self._screen.flush)
        except HarnessError as error:
            self._fail(error)
        except KeyboardInterrupt:
            # A second Ctrl-C, while stopping: that is done by now.
            if self._session is not None:
                self._session.exitstatus = pytest.ExitCode.INTERRUPTED
        finally:
            for number, handler in self._ending.items():
                signal.signal(number, handler)
            self._ending.clear()
            if self._sigint is not None:
                signal.signal(signal.SIGINT, self._sigint)
                self._sigint = None
