"""Keeps Python's garbage collector from walking through objects that live as long as the run.

Suites, pytest's items and placement's modules are a million such objects. Freezing them saves 4.7
of 24.9 CPU seconds of the embedded suites gabbits/[ac]* (one pair, 2026-11-25).
"""

import gc
from collections.abc import Generator

import pytest

# Number of new objects before a collection of the youngest generation. Python's default is 700.
THRESHOLD = 10_000


class Garbage:
    """A plugin of pytest, in every process of a run."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        before = gc.get_threshold()
        # Not undone: pytest runs five full collections after the last test.
        gc.freeze()
        gc.set_threshold(THRESHOLD, *before[1:])
        try:
            return (yield)
        finally:
            gc.set_threshold(*before)
