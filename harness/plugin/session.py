"""What every process of a run does under pytest: time its tests, and explain those that fail."""

import time
import traceback
from collections.abc import Generator, Mapping, Sequence
from typing import Any, TypeGuard

import pytest
from _pytest._code.code import ExceptionRepr
from _pytest.pathlib import bestrelpath

from harness.config.plan import Plan
from harness.core.errors import HarnessError, UsageError
from harness.core.exchange import Exchange
from harness.report import failure
from harness.report.request_stats import Tally
from harness.suites.case import PLAIN
from harness.suites.connection import Environment, Wire, environment
from harness.suites.items import SuiteItem, properties
from harness.targets.base import Target


class Run:
    """A pytest plugin, and what the fixtures of a run share."""

    def __init__(self, plan: Plan, wire: Wire) -> None:
        self.plan = plan
        self.wire = wire
        self.tally = Tally()
        self._environment = Environment()
        self._target: Target | None = None
        # Of the fixture `placement`, in the test that runs.
        self._last: Exchange | None = None

    @property
    def target(self) -> Target:
        if self._target is None:
            raise RuntimeError("the run has not begun")
        return self._target

    def connect(self, target: Target) -> None:
        """Let suites and fixtures speak to the target, which is there."""
        self._target = target
        self._environment.set(environment(target))
        self.wire.connect(target, self.tally.record)

    def record(self, exchange: Exchange) -> None:
        """Take note of an exchange of a Python test."""
        self._last = exchange
        self.tally.record(exchange)

    def disconnect(self) -> None:
        self.wire.close()
        self._environment.restore()

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        # In Python 3.11 a frame may have no line number, at which pytest fails.
        excinfo.traceback = excinfo.traceback.filter(_has_line)

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
        if call.when == "call" and self._last is not None:
            item.user_properties += properties(self._last)
        report = yield
        if call.excinfo is not None and report.failed:
            if isinstance(item, SuiteItem) and report.when == "call":
                begin = time.perf_counter()
                self._explain(item, call.excinfo.value, report)
                # Reading logs is no part of what a test costs.
                self.tally.testing -= time.perf_counter() - begin
            elif self._last is not None:
                self._add_exchange(item, self._last, report)
            self.broke(call.excinfo.value)
        return report

    def broke(self, error: BaseException) -> None:
        """A test met this error: the owner of a run ends it when the target is at fault."""

    def _explain(self, item: SuiteItem, error: BaseException, report: pytest.TestReport) -> None:
        exchange = item.case.exchange
        setattr(report, TROUBLE, _is_trouble(exchange))
        report.longrepr = failure.render(
            _problem(error),
            (bestrelpath(item.config.invocation_params.dir, item.path), item.case.line + 1),
            exchange,
            self.target.shell_token(),
            self._logs(exchange),
            self.target.token(),
            one_line=item.config.option.tbstyle == "line",
        )

    def _add_exchange(
        self, item: pytest.Item, exchange: Exchange, report: pytest.TestReport
    ) -> None:
        """Show below a Python test's own failure what it was told last."""
        setattr(report, TROUBLE, _is_trouble(exchange))
        if item.config.option.tbstyle == "line" or not isinstance(report.longrepr, ExceptionRepr):
            return
        shell_token, token = self.target.shell_token(), self.target.token()
        for part in failure.redacted(exchange, shell_token, self._logs(exchange), token):
            report.longrepr.addsection(*part)

    def _logs(self, exchange: Exchange | None) -> Mapping[str, Sequence[str]]:
        if exchange is None:
            return {}
        try:
            return self.target.explain(exchange)
        except (HarnessError, OSError) as error:
            return {"the target": [f"cannot be read: {error}"]}


# pytest says this when a run is ended for a reason that is no test's fault.
STOPPED = "the run cannot go on; the reason is below"
# The attribute of a report that says: no answer, or one of 5xx. The process that owns the target
# then looks whether that still lives.
TROUBLE = "placement_trouble"


def blames_target(error: BaseException) -> TypeGuard[HarnessError]:
    """Whether an error that a test met is the target's, and keeps all others from being run."""
    return isinstance(error, HarnessError) and not isinstance(error, UsageError)


def _is_trouble(exchange: Exchange | None) -> bool:
    answer = exchange.response if exchange else None
    return answer is None or answer.status >= 500


def _problem(error: BaseException) -> str:
    if isinstance(error, AssertionError):
        return str(error) or "assertion failed"
    if isinstance(error, PLAIN):
        return f"{type(error).__name__}: {error}"
    return "".join(traceback.format_exception(error)).rstrip()


def _has_line(entry: Any) -> bool:
    try:
        return bool(entry.lineno >= 0)
    except TypeError:
        return False
