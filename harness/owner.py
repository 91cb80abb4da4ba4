"""The process that owns a run: it starts the target, watches it, stops it, and sums up."""

import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from harness import fixtures, targets
from harness.errors import HarnessError, UsageError
from harness.plan import Plan
from harness.report import screen
from harness.report.screen import Screen
from harness.run import STOPPED, TROUBLE, Run, Worker
from harness.starter import Starter
from harness.suites import collect, extensions
from harness.suites.wire import Wire

# Seconds between looks at the target; a look may take this part of the time at most.
LOOK = 0.5
SHARE = 20


def install(config: pytest.Config, plan_of: Callable[[pytest.Config], Plan]) -> None:
    """Add to pytest what a run needs. Raises pytest.UsageError for settings without sense."""
    wire = Wire()
    try:
        plan = plan_of(config)
        own = extensions.load(
            fixture_modules=config.getini("gabbi_fixture_modules"),
            inner_fixtures=config.getini("gabbi_inner_fixtures"),
            response_handlers=config.getini("gabbi_response_handlers"),
            content_handlers=config.getini("gabbi_content_handlers"),
            safe_yaml=config.getini("gabbi_safe_yaml"),
        )
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    worker = hasattr(config, "workerinput")
    run = Worker(config, plan, wire) if worker else Owner(config, plan, wire)
    config.stash[fixtures.RUN] = run
    config.pluginmanager.register(run, "placement-run")
    config.pluginmanager.register(collect.SuiteCollector(own, wire), "placement-suites")
    config.pluginmanager.register(fixtures, "placement-fixtures")
    _keep_suites_whole(config)


def _keep_suites_whole(config: pytest.Config) -> None:
    """Let xdist give all tests of a file to one worker, unless a way was asked for."""
    asked = getattr(config.known_args_namespace, "dist", None)
    if asked == "no" and config.getoption("dist", None) == "load":
        config.option.dist = "loadfile"


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
        self._next_look = 0.0
        self._sigterm: Any = None
        self._sigint: Any = None

    # Before the first test

    def pytest_report_header(self) -> str:
        return screen.header(self.plan)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session
        self._sigterm = signal.signal(signal.SIGTERM, _interrupt)

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
        empty = collect.without_tests(self._config, paths)
        if empty is not None:
            raise pytest.UsageError(
                f"{empty} has no suites and no Python tests. Suites are .yaml files directly in a "
                f"given directory, or in one whose name begins with {collect.DIRECTORY}."
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Wait for the target; True, which ends the loop, when it cannot be had."""
        if self._distributed or self._config.option.collectonly or not session.items:
            return None
        if session.testsfailed and not self._config.option.continue_on_collection_errors:
            return None
        return None if self._ready() else True

    def _ready(self) -> bool:
        try:
            self._starter.wait(self._screen.flush)
            self.connect(self.target)
            self._screen.settings(self.target.settings())
        except HarnessError as error:
            self._fail(error)
        return self._error is None

    # While tests run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self._look(now=getattr(report, TROUBLE, False))

    def broke(self, error: BaseException) -> None:
        if isinstance(error, HarnessError) and not isinstance(error, UsageError):
            self._fail(error)
            self._stop_testing()

    def _look(self, *, now: bool) -> None:
        """See whether the target still lives."""
        begin = time.monotonic()
        if not now and begin < self._next_look:
            return
        try:
            if self._starter.begun:
                self.target.check()
        except HarnessError as error:
            self._fail(error)
            self._stop_testing()
        end = time.monotonic()
        self._next_look = end + max(LOOK, SHARE * (end - begin))

    def _fail(self, error: HarnessError) -> None:
        """Remember why the run cannot be made: the first reason, others follow from it."""
        self._error = self._error or error

    def _stop_testing(self) -> None:
        if self._session is not None:
            self._session.shouldstop = STOPPED
        controller = self._config.pluginmanager.get_plugin("dsession")
        if controller is not None:
            controller.shouldstop = STOPPED

    # xdist

    @property
    def _distributed(self) -> bool:
        return self._config.pluginmanager.has_plugin("dsession")

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self) -> None:
        """Start before there are workers: each is told where the target is."""
        self._refuse_directory(collect.candidates(self._config))
        if getattr(self.target, "per_process", False):
            self._screen.settings(self.target.settings())
        elif not self._ready():
            # The quiet way out: pytest_unconfigure says why.
            raise pytest.Session.Failed

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["placement"] = dict(self.target.share())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        output = getattr(node, "workeroutput", {})
        if "placement" in output:
            self.tally.merge(output["placement"])
        if "placement_error" in output:
            problem, remedy, evidence = output["placement_error"]
            self._fail(HarnessError(problem, remedy, evidence=evidence))

    # After the last test

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        # What is left to do takes seconds; a second Ctrl-C in its midst would make a mess of it.
        if self._sigint is None:
            self._sigint = signal.signal(signal.SIGINT, lambda *_: None)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._stop()
        proven = screen.unproven(self.tally, self.target.replicas) is None
        if session.exitstatus == pytest.ExitCode.OK and not proven:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self) -> None:
        self._screen.summary(self.tally, self.target.replicas)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        self._stop()
        if self._error is not None:
            self._screen.failed(self._error)
            if self._session is not None:
                self._session.exitstatus = self._error.exit_code

    def _stop(self) -> None:
        try:
            self.disconnect()
            self._starter.stop(self._screen.flush)
        except HarnessError as error:
            self._fail(error)
        except KeyboardInterrupt:
            # A second Ctrl-C, while stopping: that is done by now.
            if self._session is not None:
                self._session.exitstatus = pytest.ExitCode.INTERRUPTED
        finally:
            if self._sigterm is not None:
                signal.signal(signal.SIGTERM, self._sigterm)
                self._sigterm = None
            if self._sigint is not None:
                signal.signal(signal.SIGINT, self._sigint)
                self._sigint = None


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Let a termination request end the run as Ctrl-C does."""
    raise KeyboardInterrupt
