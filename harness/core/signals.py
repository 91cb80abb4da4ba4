"""Runs work to its end though an interrupt arrives in between."""

import signal
import threading
from collections.abc import Callable
from typing import TypeVar

from harness.core.deadline import cancellable

T = TypeVar("T")

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heeded(*numbers: signal.Signals) -> list[signal.Signals]:
    """The given signals, without ignored ones: nohup ignores SIGHUP, for children too."""
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def shielded(work: Callable[[], T]) -> T:
    """Do the whole work; raise KeyboardInterrupt afterwards if an interrupt arrived meanwhile."""
    interrupts: list[int] = []
    handlers = {}
    # Signals interrupt the main thread alone; other threads can be cancelled.
    if threading.current_thread() is threading.main_thread():
        for number in heeded(*INTERRUPTS):
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
