"""Compares each test's exchanges with those of another side, and fails tests that differ."""

import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.core.exchange import Exchange
from harness.parity import text
from harness.parity.judge import Judge, Judgement, Verdict, by_test
from harness.parity.outcome import Outcome, as_page
from harness.parity.repeats import Spot, settled
from harness.parity.rules import Declared
from harness.plugin import _pytest_compat, _xdist_compat, twins
from harness.plugin.parity_sources import Source, Test
from harness.plugin.session import Run
from harness.suites.items import SuiteFile, SuiteItem

# The attribute of a report that has the judgements of its test's exchanges, as plain data.
JUDGEMENTS = "placement_parity"
# What ends a run ends it at once: the other side is not asked any more.
ENDS = (KeyboardInterrupt, SystemExit, pytest.exit.Exception)


class ParityCheck:
    """Judges each test where it runs: in this process, or in each of xdist's workers.

    ``kind`` is that of the run's target, e.g. stack. It observes the run's exchanges.
    """

    def __init__(self, run: Run, source: Source, kind: str, table: Declared) -> None:
        self._run = run
        self._source = source
        self._judge = Judge(kind, source.kind, table)
        self._sides = (kind, source.label)
        self._exchanges: list[Exchange] = []
        self._file: pytest.Collector | None = None
        # Tests of the suite that is running.
        self._differing: list[_Differing] = []
        # Whether a test is running that is not judged, or not yet: a Python test is judged when
        # it has been torn down.
        self._is_held = False
        run.stream.subscribe(self)

    def observe(self, exchange: Exchange) -> None:
        self._exchanges.append(exchange)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        if isinstance(item.parent, SuiteFile) and item.parent is not self._file:
            self._file = item.parent
            if item.parent.begins_empty:
                self._judge.begin_anew(self._source.known(self._run.wire))
        try:
            result = yield
        except BaseException as error:
            if not isinstance(error, ENDS):
                self._ask(item)
            raise
        self._ask(item)
        return result

    def _ask(self, item: pytest.Item) -> None:
        if self._is_held:
            return
        begin = time.perf_counter()
        self._source.ask(item)
        # The other side's time is not the client's.
        self._run.tally.testing -= time.perf_counter() - begin

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when == "call" and not self._is_held:
            self._judge_test(item, report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run a test, and compare what it was answered.

        Fixtures of Python tests ask placement, too. Reports of tests that differ wait until their
        suite has ended, and is repeated on the other side.
        """
        if not (twins.uses_placement(item) or isinstance(item, SuiteItem)):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        if twins.uses_placement(item):
            reports = self._run_python(item, nextitem)
        else:
            reports = _pytest_compat.run_without_reporting(item, nextitem)
        if self._differing and self._differing[-1].item is item:
            self._differing[-1].reports = reports
        else:
            _log(item, reports)
        is_last = nextitem is None or nextitem.parent is not item.parent
        if self._differing and (is_last or not isinstance(item, SuiteItem)):
            self._settle(self._unrepeated(item, nextitem))
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _run_python(
        self, item: pytest.Function, following: pytest.Item | None
    ) -> list[pytest.TestReport]:
        self._is_held = True
        try:
            reports = self._source.run(item, following)
        finally:
            self._is_held = False
        self._judge_test(item, reports[min(1, len(reports) - 1)])
        return reports

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Report what waits for the end of a suite that a run does not come to."""
        try:
            return (yield)
        finally:
            self._settle({})

    def _judge_test(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Compare what a test was answered, and let its report say so, unless that has to wait."""
        tests = by_test(self._exchanges)
        others = self._source.exchanges(item, tests)
        failure = self._source.failure() if report.passed else ""
        judgements = [
            self._judge.judge(
                suite,
                test,
                tests.get((suite, test), []),
                others.get((suite, test), []),
                self._source.lacks(item, suite),
                failure,
            )
            for suite, test in dict.fromkeys([*tests, *others])
        ]
        self._exchanges.clear()
        if any(judgement.verdict is Verdict.DIFFERENT for judgement in judgements):
            self._differing.append(_Differing(item, report, judgements))
        else:
            setattr(report, JUDGEMENTS, [judgement.as_data() for judgement in judgements])

    def _unrepeated(
        self, item: pytest.Item, following: pytest.Item | None
    ) -> Mapping[Test, frozenset[Spot]]:
        """The places that the other side does not repeat, in the suite or test that has ended."""
        suite = item.parent if isinstance(item, SuiteItem) else None
        begin = time.perf_counter()
        self._is_held = True
        try:
            return self._source.again(suite or item, following)
        except HarnessError as error:
            self._run.broke(error)
        except Exception:
            # A fixture, which starts once more, may fail in any way. The differences stand then.
            return {}
        finally:
            self._is_held = False
            if suite is not None:
                self._run.tally.testing -= time.perf_counter() - begin
        return {}

    def _settle(self, unstable: Mapping[Test, Collection[Spot]]) -> None:
        """Report the tests that wait; ``unstable`` are places that are not repeated."""
        for each in self._differing:
            judgements = [
                settled(judgement, unstable.get((judgement.suite, judgement.test), ())).as_data()
                for judgement in each.judgements
            ]
            setattr(each.report, JUDGEMENTS, judgements)
            lines = [
                line
                for judgement in judgements
                if judgement["verdict"] == Verdict.DIFFERENT
                for line in text.test(judgement, *self._sides)
            ]
            if lines:
                self._show(each.report, each.item, "\n".join(lines))
            with _xdist_compat.reporting(each.item):
                _log(each.item, each.reports)
        self._differing.clear()

    def _show(self, report: pytest.TestReport, item: pytest.Item, lines: str) -> None:
        """Fail a test for its differences; show them below a failure of its own."""
        if report.outcome == "failed":
            report.sections.append((f"differences from {self._sides[1]}", lines))
            return
        report.outcome = "failed"
        # Else pytest takes it for an expected failure.
        vars(report).pop("wasxfail", None)
        report.longrepr = f"{item.nodeid} answers otherwise than {self._sides[1]}\n\n{lines}"


@dataclass(slots=True)
class _Differing:
    """A test whose answers differ, and its reports, which wait until it has been repeated."""

    item: pytest.Item
    report: pytest.TestReport
    judgements: Sequence[Judgement]
    reports: Sequence[pytest.TestReport] = ()


def _log(item: pytest.Item, reports: Sequence[pytest.TestReport]) -> None:
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)


class ParitySummary:
    """Adds up the judgements of all tests, in the process that owns the run."""

    def __init__(
        self,
        sides: tuple[str, str],
        title: str,
        table: Declared,
        page: Path | None,
        changes: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._title = title
        self.outcome = Outcome(*sides, table.rules)
        self._page = page
        self._changes = changes

    def pytest_report_header(self) -> str:
        return f"parity: every answer is compared with {self._title}"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for judgement in getattr(report, JUDGEMENTS, ()):
            self.outcome.add(judgement)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run in which nothing was compared, or whose declared differences are gone."""
        if session.config.getoption("collectonly"):
            return
        self.outcome.changes = [*self._changes()]
        if session.exitstatus == pytest.ExitCode.OK and not self.outcome.ok:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._page is not None and self._has_page(session.exitstatus):
            self._page.write_text(as_page(self.outcome))

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, exitstatus: int
    ) -> None:
        terminalreporter.write_sep("=", "parity")
        for line in (*text.causes(self.outcome), *text.summary(self.outcome)):
            terminalreporter.write_line(line)
        if self._page is None:
            return
        what = f"the page: {self._page}"
        if not self._has_page(exitstatus):
            what = "no page was written: the run was interrupted before anything was compared"
        terminalreporter.write_line(what)

    def _has_page(self, exitstatus: int) -> bool:
        """Whether there is something to show: a page that says nothing would replace a good one."""
        return bool(self.outcome.exchanges) or exitstatus != pytest.ExitCode.INTERRUPTED
