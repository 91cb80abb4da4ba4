"""Answers of another target, to which each test is sent after it has run on the main one."""

from collections.abc import Iterable, Mapping, Sequence

import pytest

from harness.core.exchange import Exchange
from harness.parity import repeats
from harness.parity.compare import Unordered
from harness.parity.judge import by_test
from harness.parity.repeats import GATEWAY, Pass, Spot
from harness.plugin import _pytest_compat, twins
from harness.plugin.other_side import OtherSide
from harness.plugin.parity_sources import Test
from harness.plugin.session import blames_target
from harness.suites import introductions
from harness.suites.case import Case
from harness.suites.connection import Wire
from harness.suites.items import SuiteFile, SuiteItem


class Live:
    """A Source that is a target. ``unordered`` are the lists without order, by the table."""

    def __init__(self, side: OtherSide, unordered: Sequence[Unordered], label: str) -> None:
        self.kind = side.kind
        self.label = label
        self._side = side
        self._unordered = unordered
        self._twins = twins.Twins()
        self._twin: pytest.Function | None = None
        self._failure = ""
        # The suite or the Python test that runs, its exchanges, and the ids of its fixture.
        self._unit: pytest.Collector | pytest.Item | None = None
        self._exchanges: list[Exchange] = []
        self._ids: Mapping[str, str] = {}

    def ask(self, item: pytest.Item) -> None:
        if not isinstance(item, SuiteItem) or item.other is None:
            return
        _require_target(item.other.perform().error)
        exchange = item.other.exchange
        if exchange is None or exchange.response is None or exchange.response.status in GATEWAY:
            # Raises an error when the target has gone: no further test needs to try it.
            self._side.target.check()

    def run(self, item: pytest.Function, following: pytest.Item | None) -> list[pytest.TestReport]:
        self._twin = twin = None if twins.acts_on(item) else self._twins.of(item)
        reports = _pytest_compat.run_without_reporting(item, twin or following)
        self._failure = self._run_twin(twin, following)
        return reports

    def _run_twin(self, twin: pytest.Function | None, following: pytest.Item | None) -> str:
        """Run a Python test on this side; its failure."""
        if twin is None:
            return ""
        reports = _pytest_compat.run_without_reporting(twin, following)
        return next((_message(report) for report in reports if report.failed), "")

    def known(self, wire: Wire) -> Iterable[tuple[str, str]]:
        """Values of the fixtures' variables, and providers of the same name."""
        ids, self._ids = _ids(wire), _ids(self._side.wire)
        yield from ((ids[name], self._ids[name]) for name in ids.keys() & self._ids.keys())

    def failure(self) -> str:
        return self._failure

    def exchanges(
        self, item: pytest.Item, tests: Mapping[Test, Sequence[Exchange]]
    ) -> Mapping[Test, list[Exchange]]:
        unit = item.parent if isinstance(item, SuiteItem) else item
        if unit is not self._unit:
            self._unit, self._exchanges = unit, []
        taken = self._side.take()
        self._exchanges += taken
        return by_test(taken)

    def again(
        self, unit: pytest.Collector | pytest.Item, following: pytest.Item | None
    ) -> Mapping[Test, frozenset[Spot]]:
        whole = [*self._exchanges]
        if isinstance(unit, SuiteFile):
            first = Pass(whole, _failed(unit.cases_of_the_other_side), self._ids)
            again = [self._suite(unit) for _ in range(repeats.TIMES)]
        else:
            first = _python(whole, self._failure)
            again = [self._python_test(unit, following) for _ in range(repeats.TIMES)]
        like_first = isinstance(unit, SuiteFile) and unit.begins_empty
        return repeats.unrepeated(first, again, self._unordered, like_first=like_first)

    def _suite(self, suite: SuiteFile) -> Pass:
        """Run a suite on this side once more. Raises HarnessError."""
        self._number_anew(suite)
        cases: list[Case] = []
        ids: Mapping[str, str] = {}
        for case in suite.again():
            _require_target(case.outcome.error if case.outcome else None)
            if suite.begins_empty and not cases:
                ids = _ids(self._side.wire)
            cases.append(case)
        return Pass(self._side.take(), _failed(cases), ids)

    def _python_test(
        self, unit: pytest.Collector | pytest.Item, following: pytest.Item | None
    ) -> Pass:
        self._number_anew(unit)
        failure = self._run_twin(self._twin, following)
        return _python(self._side.take(), failure)

    def _number_anew(self, unit: pytest.Collector | pytest.Item) -> None:
        self._side.stream.begin_test(unit.nodeid.partition("::")[0], unit.name)

    def lacks(self, item: pytest.Item, suite: str) -> str:
        acts = twins.acts_on(item) if isinstance(item, pytest.Function) else ()
        if acts:
            return f"the test acts on the {' and the '.join(sorted(acts))} of this side"
        error: object = self._failure
        if isinstance(item, SuiteItem) and item.other is not None and item.other.outcome:
            outcome = item.other.outcome
            error = outcome.error or outcome.expected or outcome.skip
        return f"{self.label} was not asked" + (f": {error}" if error else "")


def _python(exchanges: Sequence[Exchange], failure: str) -> Pass:
    return Pass(exchanges, frozenset(by_test(exchanges) if failure else ()))


def _failed(cases: Iterable[Case]) -> frozenset[Test]:
    """The tests of a suite that failed, and had sent a request."""
    return frozenset(
        (case.exchange.suite, case.exchange.test)
        for case in cases
        if case.exchange is not None and case.outcome is not None and case.outcome.error
    )


def _ids(wire: Wire) -> Mapping[str, str]:
    """Values of a fixture's variables, and ids of providers, each by its name."""
    variables, providers = introductions.ids(wire)
    return {**providers, **variables}


def _require_target(error: BaseException | None) -> None:
    """Raise an error that says that the target is broken."""
    if error is not None and blames_target(error):
        raise error


def _message(report: pytest.TestReport) -> str:
    """The failure of a test in a line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr)
