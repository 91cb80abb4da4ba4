"""What signals do to a run: each ends it as Ctrl-C does, and a second Ctrl-C does nothing."""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any


class Interrupts:
    """The signal handlers of a run, from ``install`` to ``restore``.

    ``reason`` gives the text that pytest shows, or None for a signal that comes too late.
    """

    def __init__(self, reason: Callable[[], str | None]) -> None:
        self._reason = reason
        # The handlers before this run's.
        self._earlier: dict[signal.Signals, Any] = {}

    def install(self) -> None:
        """Let SIGTERM and a closed terminal end the run as Ctrl-C does."""
        # nohup lets a run outlive its terminal.
        nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        for number in (signal.SIGTERM, *([] if nohup else [signal.SIGHUP])):
            self._earlier[number] = signal.signal(number, self._interrupt)

    def ignore_ctrl_c(self) -> None:
        """Ignore a second Ctrl-C: stopping takes seconds, and must not be left half done."""
        if signal.SIGINT not in self._earlier:
            self._earlier[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: None)

    def restore(self) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)
        self._earlier.clear()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        reason = self._reason()
        if reason is not None:
            raise KeyboardInterrupt(reason)
