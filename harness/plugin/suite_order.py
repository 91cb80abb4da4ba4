"""The order of suites when workers share them: the longest first, so that none ends late alone.

pytest's cache keeps the seconds that each suite took, per kind of target.
"""

from collections import defaultdict
from collections.abc import Generator, Mapping
from functools import cached_property
from typing import Any

import pytest

from harness.suites.items import SuiteItem

KEY = "placement-harness/seconds"
# Attribute of a report: how many tests the suite of the reported test has.
TESTS = "placement_tests"
# Guess for a test of a suite that has not been timed yet. Seconds.
GUESS = 0.02


class Order:
    """A pytest plugin in every process of a run; ``kind`` names the kind of target.

    The controller reads the cache and hands the times to its workers. A cache that changes while
    workers start would otherwise give them different orders, which xdist refuses.
    """

    def __init__(self, config: pytest.Config, kind: str) -> None:
        self._config = config
        self._key = f"{KEY}-{kind}"
        # Seconds that each suite took in this run.
        self._took: defaultdict[str, float] = defaultdict(float)
        # How many tests of each suite have ended, and how many it has.
        self._ended: defaultdict[str, int] = defaultdict(int)
        self._tests: dict[str, int] = {}

    @cached_property
    def _remembered(self) -> Mapping[str, float]:
        """Seconds that each suite took in earlier runs, as they were when this run began."""
        return self._read()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["placement_seconds"] = self._remembered

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort a worker's tests; xdist shares them out in this order."""
        workerinput = getattr(self._config, "workerinput", None)
        if workerinput is None:
            return
        seconds: Mapping[str, float] = workerinput["placement_seconds"]
        tests: defaultdict[str, int] = defaultdict(int)
        for item in items:
            tests[_suite(item.nodeid)] += isinstance(item, SuiteItem)

        def longest_first(item: pytest.Item) -> float:
            suite = _suite(item.nodeid)
            return -float(seconds.get(suite, GUESS * tests[suite]))

        items.sort(key=longest_first)

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
        seconds = {
            suite: round(took, 3)
            for suite, took in self._took.items()
            # The time of a suite that ran in part says nothing about the whole suite.
            if self._ended[suite] == self._tests[suite]
        }
        cache = self._cache
        if not hasattr(self._config, "workerinput") and seconds and cache is not None:
            # Read again: another run may have written meanwhile.
            cache.set(self._key, {**self._read(), **seconds})

    def _read(self) -> Mapping[str, float]:
        return dict(self._cache.get(self._key, {})) if self._cache is not None else {}

    @property
    def _cache(self) -> pytest.Cache | None:
        # With -p no:cacheprovider pytest has no cache.
        return getattr(self._config, "cache", None)


def _suite(nodeid: str) -> str:
    return nodeid.partition("::")[0]
