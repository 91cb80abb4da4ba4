"""pytest's nodes for suites: a node for each file, and an item for each test."""

import itertools
import os
import unittest
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest
from gabbi.exception import GabbiSyntaxWarning  # type: ignore[import-untyped]

from harness.core.errors import UsageError
from harness.core.exchange import Exchange
from harness.core.paths import SUITES
from harness.suites import _pytest_compat, loader
from harness.suites.case import Case, resumed
from harness.suites.connection import Wire
from harness.suites.extensions import Extensions
from harness.suites.files import DIRECTORY, is_suite
from harness.suites.parsing import SuiteError
from harness.upstream import fixture_data

# Name of placement's own suites, in options and in the names of tests.
UPSTREAM = "upstream"
# The suites of the placement under test, among what pytest keeps for plugins.
OWN_SUITES = pytest.StashKey[fixture_data.OwnSuites]()
# Name of a test's property, also in JUnit's file: the reason for a declared difference.
DIFFERENCE = "difference"
REPLICA, REQUEST_ID = "replica", "request id"
OURS = frozenset({DIFFERENCE, REPLICA, REQUEST_ID})


class SuiteItem(pytest.Item):
    """One test of a suite, ``among`` how many.

    ``other`` is the same test for the other side of a live comparison.
    """

    def __init__(
        self, *, case: Case, among: int, other: Case | None = None, **options: object
    ) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.case = case
        self.among = among
        self.other = other
        # Whether the test has run since its file was begun.
        self.has_run = False
        if case.test_data["xfail"]:
            reason = case.test_data["desc"] or "xfail in the suite"
            # gabbi fails a run for an unexpected success, whatever pytest's ini file says.
            self.add_marker(pytest.mark.xfail(reason=str(reason), strict=True))

    def runtest(self) -> None:
        if self.has_run:
            # A plugin that runs failed tests again asks for requests, not for the known outcome.
            self._file.begin_anew(self)
            self.user_properties[:] = [pair for pair in self.user_properties if pair[0] not in OURS]
        self.has_run = True
        outcome = self.case.perform()
        if outcome.skip is not None:
            _pytest_compat.skip(outcome.skip)
        if isinstance(outcome.expected, unittest.SkipTest):
            # In gabbi, `xfail` counts before `skip`.
            pytest.xfail(str(outcome.expected))
        failure = outcome.error or outcome.expected
        if self.case.exchange is not None:
            self.user_properties += properties(self.case.exchange)
        if self.case.differs is not None:
            self.user_properties.append((DIFFERENCE, self.case.differs.reason))
        if failure is not None:
            raise failure

    def _initrequest(self) -> None:
        """Do nothing: pytest-retry calls this method of Python's items for every item."""

    @property
    def _file(self) -> "SuiteFile":
        assert isinstance(self.parent, SuiteFile)  # noqa: S101
        return self.parent

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.case.line, self.name


def properties(exchange: Exchange) -> list[tuple[str, object]]:
    """Properties of an exchange for JUnit's file; empty if there was no response."""
    if exchange.response is None:
        return []
    return [(REPLICA, exchange.replica or ""), (REQUEST_ID, exchange.request_id or "")]


class SuiteFile(pytest.File):
    """A suite. Its fixtures run from before its first test until after its last."""

    extensions: Extensions
    # The run's connection, and that to the other side of a live comparison.
    wires: Sequence[Wire]

    @classmethod
    def of(
        cls, parent: pytest.Collector, path: Path, extensions: Extensions, wires: Sequence[Wire]
    ) -> "SuiteFile":
        file: SuiteFile = cls.from_parent(parent, path=path, nodeid=_id(path, parent.config))
        file.extensions, file.wires = extensions, wires
        return file

    @property
    def begins_empty(self) -> bool:
        """Whether placement holds what a fixture puts there, and nothing of earlier suites."""
        return any(map(loader.is_staged, self._items[0].case.fixtures)) if self._items else False

    def collect(self) -> Iterable[pytest.Item]:
        self._warn_of_underscore()
        try:
            sides = self._load()
        except SuiteError as error:
            raise self.CollectError(str(error)) from error
        names = _told_apart(case.test_data["name"] for case, _ in sides)
        self._items = [
            SuiteItem.from_parent(self, name=name, case=case, among=len(sides), other=other)
            for name, (case, other) in zip(names, sides, strict=True)
        ]
        return self._items

    def _warn_of_underscore(self) -> None:
        if "_" not in self.path.name:
            return
        text = f"'_' in test filename {self.path.name}. This can break suite grouping."
        try:
            warnings.warn_explicit(text, GabbiSyntaxWarning, str(self.path), 1)
        except GabbiSyntaxWarning as error:
            # `-W error` asks for that; a traceback through the harness would explain nothing.
            remedy = "Write the name with hyphens: this run takes warnings for errors."
            raise self.CollectError(f"{self.path}:1: {error} {remedy}") from None

    def _load(self) -> list[tuple[Case, Case | None]]:
        """Each test with its twin for the other side, if there is one. Raises SuiteError."""
        first, *others = (loader.load(self.path, self.extensions, wire) for wire in self.wires)
        return [*zip(first, others[0] if others else itertools.repeat(None), strict=False)]

    def setup(self) -> None:
        self._started = ExitStack()
        if self.config.getoption("setupplan"):
            return
        classes = self._items[0].case.fixtures if self._items else ()
        if classes and any(item.case.outcome for item in self._items):
            self._forget()
        try:
            with ExitStack() as started:
                self._start_fixtures(started)
                self._started = started.pop_all()
        except unittest.SkipTest as skip:
            _pytest_compat.skip(str(skip), skip)
        except UsageError as error:
            _pytest_compat.fail(str(error), error)

    def _start_fixtures(self, started: ExitStack) -> None:
        """Start the fixtures, once for each side."""
        if not self._items:
            return
        first = self._items[0]
        for wire, case in zip(self.wires, (first.case, first.other), strict=False):
            if case is not None:
                self._start(started, wire, case)

    def _start(self, started: ExitStack, wire: Wire, case: Case) -> None:
        # Each of two sides keeps the variables that its own fixtures set.
        with wire.keeping_variables() if len(self.wires) > 1 else nullcontext():
            for fixture in case.fixtures:
                started.enter_context(fixture())

    @property
    def cases_of_the_other_side(self) -> Sequence[Case]:
        """Its tests that have run on the other side."""
        return [item.other for item in self._items if item.other and item.other.outcome]

    def again(self) -> Iterator[Case]:
        """Run the tests that have run on the other side there once more, fixtures and all.

        Gives each test after it has run.
        """
        wire = self.wires[1]
        cases: list[Case] = loader.load(self.path, self.extensions, wire)
        with ExitStack() as started:
            self._start(started, wire, cases[0])
            started.callback(setattr, wire, "fixture_variables", {})
            for item, case in zip(self._items, cases, strict=True):
                if item.other is not None and item.other.outcome:
                    case.perform()
                    yield case

    def begin_anew(self, again: SuiteItem) -> None:
        """Begin once more before a test that has run: fixtures, and the tests that it needs."""
        if self._items[0].case.fixtures:
            self.teardown()
            self.setup()
            return
        before = [item.case for item in self._items]
        others = [item.other for item in self._items if item.other is not None]
        self._forget()
        index = self._items.index(again)
        cases = resumed(before, [item.case for item in self._items], index)
        for item, case in zip(self._items, cases, strict=True):
            item.case = case
        if others:
            fresh = [item.other for item in self._items if item.other is not None]
            for item, case in zip(self._items, resumed(others, fresh, index), strict=True):
                item.other = case

    def _forget(self) -> None:
        """Forget what has run: pytest has been elsewhere, and what that left went with fixtures."""
        # Read once more, as gabbi writes into its tests what it has replaced in them.
        for item, (first, other) in zip(self._items, self._load(), strict=True):
            item.case, item.other, item.has_run = first, other, False

    def teardown(self) -> None:
        self._started.close()
        for wire in self.wires:
            wire.fixture_variables = {}


def _id(path: Path, config: pytest.Config) -> str | None:
    """Node id of a suite, where it is not pytest's own.

    Suites of placement's and the harness's have one that is independent of the directory of a run.
    pytest names a file outside of its root directory by the file's name alone, so that two suites
    of one name would have the same id.
    """
    if path.parent == SUITES:
        return f"{DIRECTORY}/{path.name}"
    if path in config.stash[OWN_SUITES]:
        return f"{UPSTREAM}/{path.name}"
    root = config.rootpath
    return None if path.is_relative_to(root) else Path(os.path.relpath(path, root)).as_posix()


def _told_apart(names: Iterable[str]) -> Iterator[str]:
    """The names, with a number after repeated ones: gabbi allows these, and xdist drops tests."""
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"


class SuiteCollector:
    """The pytest plugin that finds suites. It is registered only when the harness is used."""

    def __init__(self, extensions: Extensions, *wires: Wire) -> None:
        self._extensions = extensions
        self._wires = wires

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
        if is_suite(file_path, parent.session):
            return SuiteFile.of(parent, file_path, self._extensions, self._wires)
        return None
