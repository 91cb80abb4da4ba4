"""Tells what pytest is going to do with the tests that it collects."""

from collections import Counter
from collections.abc import Iterable

import pytest

from harness.core.errors import UsageError

# pytest's options that show something and run no test, by their names inside pytest.
LOOKS = (
    *("collectonly", "showfixtures", "show_fixtures_per_test", "setupplan", "cacheshow"),
    *("markers", "version", "help"),
)


def only_looks(config: pytest.Config) -> bool:
    """Whether pytest only shows something: nothing is started for that."""
    return any(config.getoption(name, None) for name in LOOKS)


def ambiguous(ids: Iterable[str]) -> UsageError | None:
    """The error for tests that share an id: xdist would run one of them, and be green."""
    shared = sorted(name for name, count in Counter(ids).items() if count > 1)
    if not shared:
        return None
    return UsageError(
        f"{len(shared)} ids belong to several tests each, e.g. {shared[0]}: with -n, only one of "
        "these tests would be run.",
        "Run them from a directory that holds all of them (--rootdir DIR), or without -n.",
    )
