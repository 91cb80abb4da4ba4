"""Starts a target beside other work, and stops it whatever happens."""

import threading
from collections.abc import Callable

from harness.core.deadline import GLANCE
from harness.core.errors import no_room
from harness.targets.base import Target


class Starter:
    """Runs ``target.start()`` in a thread of its own."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._thread: threading.Thread | None = None
        # Not Thread.is_alive(): after a join() that Ctrl-C interrupts, that says False (bpo-45274).
        self._ended = threading.Event()
        self._error: BaseException | None = None

    @property
    def begun(self) -> bool:
        return self._thread is not None

    def begin(self) -> None:
        """Start, unless that was done before."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="start-target", daemon=True)
            self._thread.start()

    def wait(self, glance: Callable[[], None]) -> None:
        """Return when the target is there; ``glance`` is called again and again until then.

        Raises what ``start`` raised.
        """
        self.begin()
        self._join(glance)
        if self._error is not None:
            raise self._error

    def stop(self, glance: Callable[[], None]) -> None:
        """Stop the target, if it was begun. A second Ctrl-C does not keep it from that."""
        if not self.begun:
            return
        try:
            self._stop(glance)
        except KeyboardInterrupt:
            self._stop(glance)
            raise

    def _stop(self, glance: Callable[[], None]) -> None:
        if not self._ended.is_set():
            self._target.cancel()
            self._join(glance)
        self._target.stop()
        self._thread = None

    def _join(self, glance: Callable[[], None]) -> None:
        while not self._ended.wait(GLANCE):
            glance()
        glance()

    def _run(self) -> None:
        try:
            self._target.start()
        except OSError as error:
            self._error = no_room(error) or error
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()
