"""Checks a target while tests run, and interrupts a test that hangs after the target has broken."""

import signal
import threading
import time
from collections.abc import Callable, Generator

import pytest

from harness.core.errors import HarnessError
from harness.targets.base import Target

# Seconds between checks. Checks take at most one part in SHARE of the time.
LOOK = 0.5
SHARE = 20
# How long tests may take to end once their target has broken. Seconds.
PATIENCE = 0.5


class HealthMonitor:
    """A thread that checks a target until that breaks, or until ``stop``; a pytest plugin.

    ``broken`` is called with the error, in that thread. When the tests have not ended soon after,
    the main thread gets SIGTERM: it may wait for an answer for up to a minute.
    """

    def __init__(self, target: Target, broken: Callable[[HarnessError], None]) -> None:
        self._target = target
        self._broken = broken
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="health-monitor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread. A signal that the thread sends comes before this returns."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Stop when the tests have ended: a signal must not interrupt what pytest does then."""
        try:
            result = yield
        finally:
            begun = self._thread.is_alive()
            self.stop()
        if begun:
            # The target may have broken since the last check.
            self.look()
        return result

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def look(self) -> bool:
        """Whether the target is up; calls ``broken`` when it is not."""
        try:
            self._target.check()
        except HarnessError as error:
            self._broken(error)
            return False
        return True

    def _watch(self) -> None:
        pause = 0.0
        while not self._stopped.wait(pause):
            begin = time.monotonic()
            if not self.look():
                break
            pause = max(LOOK, SHARE * (time.monotonic() - begin))
        if not self._stopped.wait(PATIENCE):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
