"""An engine on which everything works, and a stack that serves at once: for tests of its life."""

from pathlib import Path

import pytest
from _machine import Machine, fails

from harness import state as state_module
from harness.stack import lifecycle
from harness.stack.stack import Stack

UP, DOWN = "compose*up*--detach*", "compose*down*"
WELL = {
    "version*": "echo 28.0.0",
    "compose version*": "echo 2.40.3",
    "events*": "exec /bin/sleep 60",
    "logs*": "echo last words",
}
TAKEN = fails("Bind for 127.0.0.1:1 failed: port is already allocated")


def quick(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(state_module, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(lifecycle, "READY_SECONDS", 1.0)
    monkeypatch.setattr(lifecycle, "ensure_images", lambda progress: [])
    monkeypatch.setattr(Stack, "token", lambda self: "a token")
    monkeypatch.setattr(Stack, "whole", lambda self: True)
    monkeypatch.setattr(Stack, "asks_replica", lambda self, *which: None)
    machine.has("docker", WELL)


def downs(machine: Machine) -> int:
    return sum(" down " in f"{call} " for call in machine.calls)


def ups(machine: Machine) -> int:
    return sum(" up --detach" in call for call in machine.calls)


def nothing_left() -> bool:
    root = state_module.state_root()
    return not root.exists() or not [path for path in root.iterdir() if path.is_dir()]
