"""Keeps Python's garbage collector from walking through what a run never gives up.

Suites, pytest's items and placement's modules are a million objects that live to the end. At
Python's thresholds, looking at them again took a sixth of an embedded run's CPU time.
"""

import gc
from collections.abc import Generator

import pytest

# Of new objects, before the youngest generation is looked through; Python's own is 700.
THRESHOLD = 10_000


class Garbage:
    """A plugin of pytest's, in every process of a run."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        before = gc.get_threshold()
        # For good: pytest collects five times when the tests have ended.
        gc.freeze()
        gc.set_threshold(THRESHOLD, *before[1:])
        try:
            return (yield)
        finally:
            gc.set_threshold(*before)
