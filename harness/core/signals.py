"""Work that an interrupt must not leave half done."""

import signal
import threading
from collections.abc import Callable
from typing import TypeVar

from harness.core.deadline import cancellable

T = TypeVar("T")

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def shielded(work: Callable[[], T]) -> T:
    """Do something whole: an interrupt in between is raised when it is done."""
    interrupts: list[int] = []
    handlers = {}
    # Only the main thread is ever interrupted; others can be cancelled.
    if threading.current_thread() is threading.main_thread():
        for number in INTERRUPTS:
            handlers[number] = signal.signal(number, lambda number, _: interrupts.append(number))
    try:
        with cancellable(None):
            result = work()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if interrupts:
        raise KeyboardInterrupt
    return result
