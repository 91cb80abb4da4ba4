"""Sources of answers to compare with: a recording, or another target, asked meanwhile."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest

from harness.core.exchange import Exchange
from harness.parity.judge import by_test
from harness.parity.offline import lacks
from harness.parity.recording import Recording, suite_digest
from harness.plugin.other_side import OtherSide
from harness.plugin.session import blames_target
from harness.suites.items import SuiteItem

Test = tuple[str, str]


class Source(Protocol):
    """The other side of a comparison. ``kind`` is its kind of target, e.g. devstack."""

    kind: str

    def ask(self, item: pytest.Item) -> None:
        """Run the test on the other side, after it has run on this one. Raises HarnessError."""

    def exchanges(self, item: pytest.Item) -> Mapping[Test, list[Exchange]]:
        """The exchanges of the other side that may belong to a test, by suite and test."""

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

    def exchanges(self, item: pytest.Item) -> Mapping[Test, list[Exchange]]:
        changed = isinstance(item, SuiteItem) and self._has_changed(item.path)
        return {} if changed else self._tests

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

    def ask(self, item: pytest.Item) -> None:
        if not isinstance(item, SuiteItem) or item.other is None:
            return
        outcome = item.other.perform()
        if outcome.error is not None and blames_target(outcome.error):
            raise outcome.error

    def exchanges(self, item: pytest.Item) -> Mapping[Test, list[Exchange]]:
        return by_test(self._side.take())

    def lacks(self, item: pytest.Item, suite: str) -> str:
        error = None
        if isinstance(item, SuiteItem) and item.other is not None and item.other.outcome:
            outcome = item.other.outcome
            error = outcome.error or outcome.expected or outcome.skip
        return f"{self.kind} was not asked" + (f": {error}" if error else "")
