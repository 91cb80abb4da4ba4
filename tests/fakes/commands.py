"""What tests of the commands share: commands run in this process, and a stack that seems to run."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.cli import program
from harness.stack.clients.apache_balancer import Balancer
from harness.stack.handle import Stack
from harness.stack.model import state as state_module
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from tests.fakes.engine import container, lists
from tests.fakes.machine import Machine

WELL = {"version*": "echo 28.0.0", "compose version*": "echo 2.40.3"}


def apart(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("PLACEMENT_HARNESS_NAME", raising=False)
    monkeypatch.setattr(state_module, "LOOK_SECONDS", 0.1)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


class Said:
    """The output of a command, and its exit code."""

    def __init__(self, code: object, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


Harness = Callable[..., Said]


def commands_of(capsys: pytest.CaptureFixture[str]) -> Harness:
    def run(*words: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            program.main([*words])
        written = capsys.readouterr()
        return Said(ended.value.code, written.out, written.err)

    return run


def running(monkeypatch: pytest.MonkeyPatch, name: str = "placement-harness") -> StackState:
    """The state of a stack that seems to have been left running."""
    monkeypatch.setattr(Stack, "token", lambda *_: "a-token")
    monkeypatch.setattr(Stack, "asks_replica", lambda self, *which: None)
    monkeypatch.setattr(Balancer, "only", lambda self, replicas: None)
    state = StackState(name)
    state.create(Record(name, "keep", 3, 8778, ready=True), Secrets())
    return state


def listed(machine: Machine, *containers: str, **more: str) -> None:
    """Let docker list these containers of the usual stack: name, service and state of each.

    A container of the service placement, which a user has started by hand, has its number.
    """
    name = "placement-harness"
    rows = []
    for words in containers:
        last, service, state = words.split()
        number = int(last.rpartition("-")[2])
        rows.append(container(f"{name}-{last}", service, state, number=number, stack=name))
    machine.has("docker", {"ps*": lists(*rows), **more})
