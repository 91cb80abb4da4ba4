"""The longest suites first, where several workers share them: none is left waiting for one at the
end. How long each takes is remembered from run to run, in pytest's cache."""

from collections import defaultdict
from typing import Any

import pytest

from harness.suites.collect import SuiteItem

KEY = "placement-harness/seconds"
# Of a test in a suite that has not been run yet.
GUESS = 0.02


class Order:
    """A plugin of pytest's, in every process of a run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._worker = hasattr(config, "workerinput")
        self._took: defaultdict[str, float] = defaultdict(float)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Order what xdist shares out; every worker has to come to the same order."""
        if not self._worker:
            return
        known = self._remembered()
        tests: defaultdict[str, int] = defaultdict(int)
        for item in items:
            tests[_suite(item.nodeid)] += isinstance(item, SuiteItem)
        items.sort(key=lambda item: -_seconds(_suite(item.nodeid), known, tests))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._took[_suite(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        if not self._worker and self._took and self._cache is not None:
            known = {name: round(seconds, 3) for name, seconds in self._took.items()}
            self._cache.set(KEY, self._remembered() | known)

    @property
    def _cache(self) -> pytest.Cache | None:
        # There is none with -p no:cacheprovider.
        return getattr(self._config, "cache", None)

    def _remembered(self) -> dict[str, Any]:
        return dict(self._cache.get(KEY, {})) if self._cache is not None else {}


def _suite(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _seconds(suite: str, known: dict[str, Any], tests: dict[str, int]) -> float:
    return float(known.get(suite, GUESS * tests[suite]))
