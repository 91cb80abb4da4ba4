"""Sources of answers to compare with. Here is a recording; ``parity_live`` is another target."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from harness.core.exchange import Exchange
from harness.parity.compare import ask_same
from harness.parity.offline import lacks
from harness.parity.recording import Recording, suite_digest
from harness.parity.repeats import Spot
from harness.plugin import _pytest_compat
from harness.suites.connection import Wire
from harness.suites.items import SuiteItem

Test = tuple[str, str]


class Source(Protocol):
    """The other side of a comparison.

    ``kind`` is its kind of target, e.g. devstack; ``label`` names it beside the run's own.
    """

    kind: str
    label: str

    def ask(self, item: pytest.Item) -> None:
        """Run the test on the other side, after it has run on this one. Raises HarnessError."""

    def run(self, item: pytest.Function, following: pytest.Item | None) -> list[pytest.TestReport]:
        """Run a Python test on this side, then on the other; the reports of this side's."""

    def exchanges(
        self, item: pytest.Item, tests: Mapping[Test, Sequence[Exchange]]
    ) -> Mapping[Test, list[Exchange]]:
        """The other side's exchanges: of these tests, and of others that ``item`` has run.

        ``tests`` has this side's.
        """

    def known(self, wire: Wire) -> Iterable[tuple[str, str]]:
        """Ids that stand for each other where a suite begins; ``wire`` leads to this side."""

    def again(
        self, unit: pytest.Collector | pytest.Item, following: pytest.Item | None
    ) -> Mapping[Test, frozenset[Spot]]:
        """The places at which this side does not repeat its answers, when it is asked again.

        ``unit`` is the suite or the Python test that has run last. Raises HarnessError.
        """

    def failure(self) -> str:
        """The failure of the last Python test on the other side; empty where it passed."""

    def lacks(self, item: pytest.Item, suite: str) -> str:
        """The reason for a test that has no exchanges on the other side."""


class Recorded:
    """Answers that were recorded before."""

    def __init__(self, recording: Recording) -> None:
        self.kind = self.label = recording.header.target
        self._recording = recording
        self._digests: dict[Path, str] = {}

    def ask(self, item: pytest.Item) -> None:
        """Do nothing: the answers are there."""

    def run(self, item: pytest.Function, following: pytest.Item | None) -> list[pytest.TestReport]:
        return _pytest_compat.run_without_reporting(item, following)

    def exchanges(
        self, item: pytest.Item, tests: Mapping[Test, Sequence[Exchange]]
    ) -> Mapping[Test, list[Exchange]]:
        others = {test: self._recording.of(test) for test in tests}
        if isinstance(item, SuiteItem) and self._has_changed(item.path):
            # A test of this name may be another one now.
            return {t: recorded for t, recorded in others.items() if _ask_same(tests[t], recorded)}
        return others

    def known(self, wire: Wire) -> Iterable[tuple[str, str]]:
        return ()

    def again(
        self, unit: pytest.Collector | pytest.Item, following: pytest.Item | None
    ) -> Mapping[Test, frozenset[Spot]]:
        """Nothing: what was recorded cannot be asked again."""
        return {}

    def failure(self) -> str:
        return ""

    def lacks(self, item: pytest.Item, suite: str) -> str:
        if isinstance(item, SuiteItem) and self._has_changed(item.path):
            return "the suite has changed since it was recorded, and asks something else there"
        return lacks(suite, self._recording)

    def _has_changed(self, path: Path) -> bool:
        """Whether a suite that was recorded has other tests now."""
        known = self._recording.header.suites.get(path.stem)
        if known is not None and path not in self._digests:
            self._digests[path] = suite_digest(path)
        return known is not None and self._digests[path] != known


def _ask_same(exchanges: Sequence[Exchange], others: Sequence[Exchange]) -> bool:
    return len(exchanges) == len(others) and all(
        ask_same(exchange.request, other.request)
        for exchange, other in zip(exchanges, others, strict=True)
    )
