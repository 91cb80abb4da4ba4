"""Deadlines that are passed down as values, cancelling of waits, and progress of long waits."""

import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from harness.core.measurements import Progress

# A wait checks this often whether it has been cancelled. Seconds.
GLANCE = 0.1
# A long wait reports its progress this often. Seconds.
NEWS_SECONDS = 5.0

Answer = TypeVar("Answer")

_cancel: ContextVar[threading.Event | None] = ContextVar("cancel", default=None)


class Cancelled(Exception):  # noqa: N818 (nothing went wrong)
    """The current work is not wanted any more."""


@contextlib.contextmanager
def cancellable(event: threading.Event | None) -> Iterator[None]:
    """Waits in this block, in this thread, end with Cancelled once the event is set.

    With None, the event of an enclosing block has no effect in this one.
    """
    before = _cancel.set(event)
    try:
        yield
    finally:
        _cancel.reset(before)


def go_on() -> None:
    """Raise Cancelled if the event of the enclosing ``cancellable`` block is set."""
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


def patiently(ask: Callable[[], Answer], meanwhile: Callable[[], object]) -> Answer:
    """Return or raise what ``ask`` does, however long it takes; call ``meanwhile`` now and then.

    An exception from ``meanwhile`` ends the wait. ``ask`` then goes on in a daemon thread, which
    does not keep the process from ending.
    """
    answer: concurrent.futures.Future[Answer] = concurrent.futures.Future()

    def wait() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=wait, daemon=True).start()
    while not concurrent.futures.wait([answer], GLANCE).done:
        go_on()
        meanwhile()
    return answer.result()


@contextlib.contextmanager
def news(progress: Progress, what: Callable[[float], str]) -> Iterator[None]:
    """Report progress now and then while the block runs; ``what`` gets the seconds so far."""
    done, began = threading.Event(), time.monotonic()

    def tell() -> None:
        while not done.wait(NEWS_SECONDS):
            progress(what(time.monotonic() - began))

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
