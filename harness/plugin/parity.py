"""Compares each test's exchanges with those of a recording, and fails tests that differ."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from harness.core.exchange import Exchange
from harness.parity import text
from harness.parity.judge import Judge, Verdict, by_test
from harness.parity.offline import lacks
from harness.parity.outcome import Outcome, as_page
from harness.parity.recording import Recording, suite_digest
from harness.parity.rules import Declared
from harness.suites.items import SuiteItem

# The attribute of a report that has the judgements of its test's exchanges, as plain data.
JUDGEMENTS = "placement_parity"


class ParityCheck:
    """Judges each test where it runs: in this process, or in each of xdist's workers.

    ``kind`` is that of the run's target, e.g. stack. It observes the run's exchanges.
    """

    def __init__(self, recording: Recording, kind: str, table: Declared) -> None:
        self._recording = recording
        self._recorded = by_test(recording.exchanges())
        self._judge = Judge(kind, recording.header.target, table)
        self._sides = (kind, recording.header.target)
        self._exchanges: list[Exchange] = []
        self._digests: dict[Path, str] = {}

    def observe(self, exchange: Exchange) -> None:
        self._exchanges.append(exchange)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when != "call":
            return report
        judgements = [
            self._judgement(item, suite, test, exchanges)
            for (suite, test), exchanges in by_test(self._exchanges).items()
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
        return report

    def _judgement(
        self, item: pytest.Item, suite: str, test: str, exchanges: list[Exchange]
    ) -> dict[str, Any]:
        recorded, why = self._recorded.get((suite, test), []), lacks(suite, self._recording)
        if isinstance(item, SuiteItem) and self._has_changed(item.path):
            recorded, why = [], f"{item.path.name} is not as it was when it was recorded"
        return self._judge.judge(suite, test, exchanges, recorded, why).as_data()

    def _has_changed(self, path: Path) -> bool:
        """Whether a suite that was recorded has other tests now."""
        known = self._recording.header.suites.get(path.stem)
        if known is not None and path not in self._digests:
            self._digests[path] = suite_digest(path)
        return known is not None and self._digests[path] != known

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

    def __init__(self, recording: Recording, kind: str, table: Declared, page: Path | None) -> None:
        header = recording.header
        self._title = f"{header.target}, recorded {header.recorded}, placement {header.placement}"
        self.outcome = Outcome(kind, header.target, table.rules)
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
