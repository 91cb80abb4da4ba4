"""Compares each test's exchanges with those of another side, and fails tests that differ."""

import time
from collections.abc import Generator
from pathlib import Path

import pytest

from harness.core.exchange import Exchange
from harness.parity import text
from harness.parity.judge import Judge, Verdict, by_test
from harness.parity.outcome import Outcome, as_page
from harness.parity.rules import Declared
from harness.plugin import twins
from harness.plugin.parity_sources import Source
from harness.plugin.session import Run
from harness.suites.items import SuiteFile

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
        self._sides = (kind, source.kind)
        self._exchanges: list[Exchange] = []
        self._file: pytest.Collector | None = None
        # Whether a Python test is running, which is judged when it has been torn down.
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
            self._compare(item, report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run a Python test, and compare what it was answered: its fixtures ask placement, too."""
        if not twins.uses_placement(item):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        self._is_held = True
        try:
            reports = self._source.run(item, nextitem)
        finally:
            self._is_held = False
        self._compare(item, reports[min(1, len(reports) - 1)])
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _compare(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Compare what a test was answered, and let its report say so."""
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
            ).as_data()
            for suite, test in dict.fromkeys([*tests, *others])
        ]
        self._exchanges.clear()
        setattr(report, JUDGEMENTS, judgements)
        lines = [
            line
            for judgement in judgements
            if judgement["verdict"] == Verdict.DIFFERENT
            for line in text.test(judgement, *self._sides)
        ]
        if lines:
            self._show(report, item, "\n".join(lines))

    def _show(self, report: pytest.TestReport, item: pytest.Item, lines: str) -> None:
        """Fail a test for its differences; show them below a failure of its own."""
        if report.outcome == "failed":
            report.sections.append((f"differences from {self._sides[1]}", lines))
            return
        report.outcome = "failed"
        # Else pytest takes it for an expected failure.
        vars(report).pop("wasxfail", None)
        report.longrepr = f"{item.nodeid} answers otherwise than {self._sides[1]}\n\n{lines}"


class ParitySummary:
    """Adds up the judgements of all tests, in the process that owns the run."""

    def __init__(
        self, sides: tuple[str, str], title: str, table: Declared, page: Path | None
    ) -> None:
        self._title = title
        self.outcome = Outcome(*sides, table.rules)
        self._page = page

    def pytest_report_header(self) -> str:
        return f"parity: every answer is compared with {self._title}"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for judgement in getattr(report, JUDGEMENTS, ()):
            self.outcome.add(judgement)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run in which nothing was compared, or whose declared differences are gone."""
        if session.config.getoption("collectonly"):
            return
        if session.exitstatus == pytest.ExitCode.OK and not self.outcome.ok:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._page is not None:
            self._page.write_text(as_page(self.outcome))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_sep("=", "parity")
        for line in (*text.causes(self.outcome), *text.summary(self.outcome)):
            terminalreporter.write_line(line)
        if self._page is not None:
            terminalreporter.write_line(f"the page: {self._page}")
