"""Time as a value that is passed down, and the wish to stop waiting."""

import contextlib
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

# How often whoever waits looks whether it still should. Seconds.
GLANCE = 0.1

_cancel: ContextVar[threading.Event | None] = ContextVar("cancel", default=None)


class Cancelled(Exception):  # noqa: N818 (nothing went wrong)
    """What is being done is not wanted any more."""


@contextlib.contextmanager
def cancellable(event: threading.Event | None) -> Iterator[None]:
    """Whatever waits in this block, in this thread, ends with Cancelled once the event is set.

    None protects a block within another one.
    """
    before = _cancel.set(event)
    try:
        yield
    finally:
        _cancel.reset(before)


def go_on() -> None:
    """Raise Cancelled when what is being done is not wanted any more."""
    event = _cancel.get()
    if event is not None and event.is_set():
        raise Cancelled


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment by which something must have happened. Seconds; monotonic."""

    began: float
    seconds: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic(), seconds)

    @property
    def waited(self) -> float:
        return time.monotonic() - self.began

    @property
    def left(self) -> float:
        return max(0.0, self.seconds - self.waited)

    @property
    def passed(self) -> bool:
        return self.left == 0.0

    def every(self, interval: float) -> Iterator[float]:
        """Yield the seconds waited, again and again until the deadline has passed."""
        while not self.passed:
            go_on()
            yield self.waited
            time.sleep(min(interval, self.left))
