"""Sources of answers to compare with: a recording, or another target, asked meanwhile."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from harness.core.exchange import Exchange
from harness.parity.judge import by_test
from harness.parity.offline import lacks
from harness.parity.recording import Recording, suite_digest
from harness.plugin import _pytest_compat, twins
from harness.plugin.other_side import OtherSide
from harness.plugin.session import blames_target
from harness.suites import introductions
from harness.suites.connection import Wire
from harness.suites.items import SuiteItem

Test = tuple[str, str]


class Source(Protocol):
    """The other side of a comparison. ``kind`` is its kind of target, e.g. devstack."""

    kind: str

    def ask(self, item: pytest.Item) -> None:
        """Run the test on the other side, after it has run on this one. Raises HarnessError."""

    def run(self, item: pytest.Function, following: pytest.Item | None) -> list[pytest.TestReport]:
        """Run a Python test on this side, then on the other; the reports of this side's."""

    def exchanges(
        self, item: pytest.Item, tests: Collection[Test]
    ) -> Mapping[Test, list[Exchange]]:
        """The other side's exchanges: of these tests, and of others that ``item`` has run."""

    def known(self, wire: Wire) -> Iterable[tuple[str, str]]:
        """Ids that stand for each other where a suite begins; ``wire`` leads to this side."""

    def failure(self) -> str:
        """The failure of the last Python test on the other side; empty where it passed."""

    def lacks(self, item: pytest.Item, suite: str) -> str:
        """The reason for a test that has no exchanges on the other side."""


class Recorded:
    """Answers that were recorded before."""

    def __init__(self, recording: Recording) -> None:
        self.kind = recording.header.target
        self._recording = recording
        self._tests = by_test(recording.exchanges())
        self._digests: dict[Path, str] = {}

    def ask(self, item: pytest.Item) -> None:
        """Do nothing: the answers are there."""

    def run(self, item: pytest.Function, following: pytest.Item | None) -> list[pytest.TestReport]:
        return _pytest_compat.run_without_reporting(item, following)

    def exchanges(
        self, item: pytest.Item, tests: Collection[Test]
    ) -> Mapping[Test, list[Exchange]]:
        changed = isinstance(item, SuiteItem) and self._has_changed(item.path)
        return {} if changed else {test: self._tests.get(test, []) for test in tests}

    def known(self, wire: Wire) -> Iterable[tuple[str, str]]:
        return ()

    def failure(self) -> str:
        return ""

    def lacks(self, item: pytest.Item, suite: str) -> str:
        if isinstance(item, SuiteItem) and self._has_changed(item.path):
            return f"{item.path.name} is not as it was when it was recorded"
        return lacks(suite, self._recording)

    def _has_changed(self, path: Path) -> bool:
        """Whether a suite that was recorded has other tests now."""
        known = self._recording.header.suites.get(path.stem)
        if known is not None and path not in self._digests:
            self._digests[path] = suite_digest(path)
        return known is not None and self._digests[path] != known


class Live:
    """Answers of another target, to which each test is sent after it has run on the main one."""

    def __init__(self, side: OtherSide) -> None:
        self.kind = side.kind
        self._side = side
        self._twins = twins.Twins()
        self._failure = ""

    def ask(self, item: pytest.Item) -> None:
        if not isinstance(item, SuiteItem) or item.other is None:
            return
        outcome = item.other.perform()
        if outcome.error is not None and blames_target(outcome.error):
            raise outcome.error

    def run(self, item: pytest.Function, following: pytest.Item | None) -> list[pytest.TestReport]:
        self._failure = ""
        twin = None if twins.acts_on(item) else self._twins.of(item)
        reports = _pytest_compat.run_without_reporting(item, twin or following)
        if twin is not None:
            others = _pytest_compat.run_without_reporting(twin, following)
            failures = (_message(report) for report in others if report.failed)
            self._failure = next(failures, "")
        return reports

    def known(self, wire: Wire) -> Iterable[tuple[str, str]]:
        """Values of the fixtures' variables, and providers of the same name."""
        for values, others in zip(*map(introductions.ids, (wire, self._side.wire)), strict=True):
            yield from ((values[name], others[name]) for name in values.keys() & others.keys())

    def failure(self) -> str:
        return self._failure

    def exchanges(
        self, item: pytest.Item, tests: Collection[Test]
    ) -> Mapping[Test, list[Exchange]]:
        return by_test(self._side.take())

    def lacks(self, item: pytest.Item, suite: str) -> str:
        acts = twins.acts_on(item) if isinstance(item, pytest.Function) else ()
        if acts:
            return f"the test acts on the {' and the '.join(sorted(acts))} of this side"
        error: object = self._failure
        if isinstance(item, SuiteItem) and item.other is not None and item.other.outcome:
            outcome = item.other.outcome
            error = outcome.error or outcome.expected or outcome.skip
        return f"{self.kind} was not asked" + (f": {error}" if error else "")


def _message(report: pytest.TestReport) -> str:
    """The failure of a test in a line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr)
