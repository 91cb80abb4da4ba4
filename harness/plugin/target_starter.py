"""Starts a target while pytest does other work, and stops it whatever happens."""

import threading
from collections.abc import Callable

from harness.core.deadline import GLANCE
from harness.core.errors import file_error
from harness.targets.base import PerProcess, Target


class Starter:
    """Runs ``target.start()`` in a thread.

    ``wait`` and ``stop`` call ``glance`` every GLANCE seconds, e.g. to show progress. Set
    ``in_workers`` where xdist's workers run the tests: a target that lives in the process of its
    tests is then started by each of them, and not here.
    """

    def __init__(self, target: Target, *, in_workers: bool = False) -> None:
        self._target = target
        self._left_to_workers = in_workers and isinstance(target, PerProcess)
        self._thread: threading.Thread | None = None
        # Thread.is_alive() says False after a join() that Ctrl-C interrupted (bpo-45274).
        self._ended = threading.Event()
        self._error: BaseException | None = None

    @property
    def begun(self) -> bool:
        return self._thread is not None

    def begin(self) -> None:
        """Start the target, if that was not done before."""
        if self._thread is None and not self._left_to_workers:
            self._thread = threading.Thread(target=self._run, name="start-target", daemon=True)
            self._thread.start()

    def wait(self, glance: Callable[[], None]) -> None:
        """Return when the target is up. Raises what ``start`` raised."""
        if self._left_to_workers:
            return
        self.begin()
        self._join(glance)
        if self._error is not None:
            raise self._error

    def stop(self, glance: Callable[[], None]) -> None:
        """Stop the target if it was started; once more when Ctrl-C interrupts that."""
        if not self.begun:
            return
        try:
            self._stop(glance)
        except KeyboardInterrupt:
            self._stop(glance)
            raise
        finally:
            self._thread = None

    def _stop(self, glance: Callable[[], None]) -> None:
        if not self._ended.is_set():
            self._target.cancel()
            self._join(glance)
        self._target.stop()

    def _join(self, glance: Callable[[], None]) -> None:
        while not self._ended.wait(GLANCE):
            glance()
        glance()

    def _run(self) -> None:
        try:
            self._target.start()
        except OSError as error:
            self._error = file_error(error) or error
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()
