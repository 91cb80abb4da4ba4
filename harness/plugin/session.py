"""What every process of a run does under pytest: time its tests, and explain those that fail."""

import os
import time
import traceback
from collections.abc import Generator, Mapping, Sequence
from typing import TypeGuard

import pytest

from harness.config.plan import Plan
from harness.core.errors import HarnessError, UsageError
from harness.core.exchange import Exchange
from harness.plugin import _pytest_compat
from harness.plugin.other_side import OtherSide
from harness.plugin.side import Side
from harness.report import _pytest_compat as report_compat
from harness.report import failure, hints
from harness.report.request_stats import Tally
from harness.suites.case import PLAIN
from harness.suites.connection import Environment, Wire, environment
from harness.suites.items import SuiteItem, properties
from harness.targets import token_check
from harness.targets.base import Explains, Target

# pytest shows this reason when a run ends early through no test's fault.
STOPPED = "the run cannot go on; the reason is below"
# Attribute of a report: the test got no answer, or one of 5xx. The process that owns the target
# then checks whether the target is still up.
TROUBLE = "placement_trouble"


class Run(Side):
    """A pytest plugin, and what the fixtures of a run share."""

    def __init__(
        self, plan: Plan, wire: Wire, worker: str = "", other: OtherSide | None = None
    ) -> None:
        super().__init__(plan, wire, worker)
        # The other side of a live comparison.
        self.other = other
        self.tally = Tally()
        self.stream.subscribe(self.tally)
        self.stream.subscribe(self)
        self._environment = Environment()
        # Last exchange of the test that is running.
        self._last: Exchange | None = None

    def connect(self, target: Target) -> None:
        super().connect(target)
        self._environment.set(environment(target))

    def observe(self, exchange: Exchange) -> None:
        """Keep an exchange for the report of a failure."""
        self._last = exchange

    @property
    def lost_observer(self) -> HarnessError | None:
        """The error of a run whose exchanges were not all recorded, compared or counted."""
        for observer, error in self.stream.failures:
            return HarnessError(
                f"{type(observer).__name__} did not get to the end of this run: {error}.",
                "No test is to blame. Usually a disk is full: that of PLACEMENT_HARNESS_STATE.",
            )
        return None

    def disconnect(self) -> None:
        super().disconnect()
        self._environment.restore()

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        _pytest_compat.drop_frames_without_line(excinfo)

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        begin = time.perf_counter()
        try:
            return (yield)
        finally:
            self.tally.collecting = time.perf_counter() - begin

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._last = None
        for stream in (self.stream, *([self.other.stream] if self.other else ())):
            stream.begin_test(item.nodeid.partition("::")[0], item.name)
        begin = time.perf_counter()
        try:
            return (yield)
        finally:
            if isinstance(item, SuiteItem):
                self.tally.test(time.perf_counter() - begin)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        is_suite = isinstance(item, SuiteItem)
        if call.when == "call" and self._last is not None and not is_suite:
            item.user_properties += properties(self._last)
        report = yield
        if call.excinfo is not None and report.failed:
            if isinstance(item, SuiteItem) and report.when == "call":
                begin = time.perf_counter()
                self._explain(item, call.excinfo.value, report)
                # The time that reading logs takes does not count as the test's.
                self.tally.testing -= time.perf_counter() - begin
            elif self._last is not None and not is_suite:
                self._add_exchange(item, self._last, report)
            exchange = item.case.exchange if isinstance(item, SuiteItem) else self._last
            is_ours = self._target is None or isinstance(call.excinfo.value, HarnessError)
            lost = None if is_ours else token_check.refused(self.target, exchange)
            self.broke(lost or call.excinfo.value)
        if not is_suite and self._target is not None:
            # Local variables, compared values and the output of a test may hold the token.
            secrets = failure.secrets_of(self._last, self._target.token())
            report_compat.hide(report, secrets)
        return report

    def broke(self, error: BaseException) -> None:
        """Handle the error of a failed test; a subclass ends the run when the target broke."""

    def _explain(self, item: SuiteItem, error: BaseException, report: pytest.TestReport) -> None:
        exchange = item.case.exchange
        setattr(report, TROUBLE, _is_trouble(exchange))
        file = os.path.relpath(item.path, item.config.invocation_params.dir)
        report.longrepr = failure.render(
            _problem(error),
            (file, item.case.line + 1),
            exchange,
            self.target.shell_token(),
            self._logs(exchange),
            self.target.token(),
            hint=self._hint(exchange),
            one_line=_one_line(item),
        )

    def _add_exchange(
        self, item: pytest.Item, exchange: Exchange, report: pytest.TestReport
    ) -> None:
        """Show a Python test's last exchange below its failure."""
        setattr(report, TROUBLE, _is_trouble(exchange))
        if not _one_line(item):
            shell_token, token = self.target.shell_token(), self.target.token()
            logs, hint = self._logs(exchange), self._hint(exchange)
            sections = failure.redacted(exchange, shell_token, logs, token, hint)
            report_compat.add_sections(report.longrepr, sections)

    def _hint(self, exchange: Exchange | None) -> str:
        replicas, keystone = bool(self.target.replicas), not self.wire.in_process
        return hints.hint(exchange, replicas=replicas, keystone=keystone)

    def _logs(self, exchange: Exchange | None) -> Mapping[str, Sequence[str]]:
        if exchange is None or not isinstance(self.target, Explains):
            return {}
        try:
            return self.target.explain(exchange)
        except (HarnessError, OSError) as error:
            return {"the target": [f"cannot be read: {error}"]}


def blames_target(error: BaseException) -> TypeGuard[HarnessError]:
    """Whether an error of a test says that the target is broken, so that no other test can run."""
    return isinstance(error, HarnessError) and not isinstance(error, UsageError)


def _one_line(item: pytest.Item) -> bool:
    """Whether pytest was told to show one line for each failure."""
    return bool(item.config.getoption("tbstyle") == "line")


def _is_trouble(exchange: Exchange | None) -> bool:
    response = exchange.response if exchange else None
    return response is None or response.status >= 500


def _problem(error: BaseException) -> str:
    if isinstance(error, AssertionError):
        return str(error) or "assertion failed"
    if isinstance(error, PLAIN):
        return f"{type(error).__name__}: {error}"
    return "".join(traceback.format_exception(error)).rstrip()
