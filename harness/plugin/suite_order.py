"""The longest suites first, where several workers share them: none is left waiting for one at the
end. How long each takes is remembered from run to run, in pytest's cache."""

from collections import defaultdict
from collections.abc import Generator
from typing import Any

import pytest

from harness.config.plan import is_url
from harness.suites.items import SuiteItem

KEY = "placement-harness/seconds"
# The attribute of a report that says how many tests its suite has.
TESTS = "placement_tests"
# Of a test in a suite that has not been run yet.
GUESS = 0.02


class Order:
    """A plugin of pytest's, in every process of a run; what is remembered is of one target."""

    def __init__(self, config: pytest.Config, target: str) -> None:
        self._config = config
        self._worker = hasattr(config, "workerinput")
        self._key = f"{KEY}-{'url' if is_url(target) else target}"
        self._took: defaultdict[str, float] = defaultdict(float)
        # Of each suite, the tests that have come to their end, and how many it has.
        self._ended: defaultdict[str, int] = defaultdict(int)
        self._tests: dict[str, int] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Order what xdist shares out; every worker has to come to the same order."""
        if not self._worker:
            return
        known = self._remembered()
        tests: defaultdict[str, int] = defaultdict(int)
        for item in items:
            tests[_suite(item.nodeid)] += isinstance(item, SuiteItem)
        items.sort(key=lambda item: -_seconds(_suite(item.nodeid), known, tests))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if isinstance(item, SuiteItem):
            setattr(report, TESTS, item.among)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        suite = _suite(report.nodeid)
        if hasattr(report, TESTS):
            self._took[suite] += report.duration
            self._ended[suite] += report.when == "teardown"
            self._tests[suite] = getattr(report, TESTS)

    def pytest_sessionfinish(self) -> None:
        known = {
            suite: round(seconds, 3)
            for suite, seconds in self._took.items()
            # What a part of it takes says nothing of the whole.
            if self._ended[suite] == self._tests[suite]
        }
        if not self._worker and known and self._cache is not None:
            self._cache.set(self._key, self._remembered() | known)

    @property
    def _cache(self) -> pytest.Cache | None:
        # There is none with -p no:cacheprovider.
        return getattr(self._config, "cache", None)

    def _remembered(self) -> dict[str, Any]:
        return dict(self._cache.get(self._key, {})) if self._cache is not None else {}


def _suite(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _seconds(suite: str, known: dict[str, Any], tests: dict[str, int]) -> float:
    return float(known.get(suite, GUESS * tests[suite]))
