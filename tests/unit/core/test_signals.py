"""Work that signals do not break off."""

import os
import signal
from collections.abc import Iterator

import pytest

from harness.core.signals import INTERRUPTS, shielded


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in INTERRUPTS}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_an_interrupt_is_raised_when_the_work_is_done() -> None:
    steps: list[str] = []

    def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        steps.append("done")

    with pytest.raises(KeyboardInterrupt):
        shielded(work)
    assert steps == ["done"]


def test_a_signal_that_is_ignored_interrupts_nothing() -> None:
    """Under nohup SIGHUP is ignored, and commands that are started have to ignore it too."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def work() -> object:
        os.kill(os.getpid(), signal.SIGHUP)
        return signal.getsignal(signal.SIGHUP)

    assert shielded(work) is signal.SIG_IGN
