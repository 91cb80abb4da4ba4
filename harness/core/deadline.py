"""Time as a value that is passed down, the wish to stop waiting, and news for who waits."""

import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from harness.core.measurements import Progress

# How often whoever waits looks whether it still should. Seconds.
GLANCE = 0.1
# How often whoever waits for something long is told what for. Seconds.
NEWS_SECONDS = 5.0

Answer = TypeVar("Answer")

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


def patiently(ask: Callable[[], Answer], meanwhile: Callable[[], object]) -> Answer:
    """What ``ask`` gives or raises, however long it takes; ``meanwhile`` is called now and then.

    What ``meanwhile`` raises ends the waiting; ``ask`` is left to itself, in a thread that keeps
    nobody from leaving.
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
    """While this block takes long, tell now and then what it does; ``what`` gets the seconds."""
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
