"""Looks after a target while tests run, and gets the run out of a test that hangs."""

import signal
import threading
import time
from collections.abc import Callable, Generator

import pytest

from harness.core.errors import HarnessError
from harness.targets.base import Target

# Seconds between looks; a look may take this part of the time at most.
LOOK = 0.5
SHARE = 20
# How long a run may take to end by itself once its target has broken. Seconds.
PATIENCE = 0.5


class Lookout:
    """A thread that checks a target until that breaks, or until ``stop``; a plugin of pytest's.

    ``broken`` is told of the break, in that thread. When the tests have not come to their end soon
    after, the main thread gets SIGTERM: it may be waiting for an answer, for up to a minute.
    """

    def __init__(self, target: Target, broken: Callable[[HarnessError], None]) -> None:
        self._target = target
        self._broken = broken
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lookout", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Look no more; the signal, if it was sent, has come by then."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """End with the tests: what pytest does after the last one must not be interrupted."""
        try:
            result = yield
        finally:
            begun = self._thread.is_alive()
            self.stop()
        if begun:
            # What broke since the last look.
            self.look()
        return result

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def look(self) -> bool:
        """See whether the target still lives."""
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
