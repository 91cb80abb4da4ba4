"""Work that signals do not break off."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from harness.core.deadline import Cancelled, Deadline, cancellable
from harness.core.errors import StackError
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


# Shielded work: whole, or not at all


def test_what_is_shielded_is_done_before_an_interrupt_is_raised() -> None:
    done = []

    def work() -> str:
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
            signal.raise_signal(number)
        done.append(True)
        return "result"

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        shielded(work)
    assert done == [True]
    assert signal.getsignal(signal.SIGINT) is before
    assert shielded(lambda: "result") == "result"


def test_what_is_shielded_is_not_cancelled() -> None:
    wish = threading.Event()
    wish.set()
    with cancellable(wish):
        assert shielded(lambda: [*Deadline.after(0.01).every(0.01)])
        with pytest.raises(Cancelled):
            list(Deadline.after(1).every(0.01))


def test_what_is_shielded_may_fail() -> None:
    def work() -> None:
        raise StackError("It failed.", "Mend it.")

    with pytest.raises(StackError, match=r"It failed\."):
        shielded(work)
