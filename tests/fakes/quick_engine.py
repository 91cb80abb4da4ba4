"""An engine on which everything works, and a stack that serves at once: for tests of its life."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.core.paths import state_root
from harness.stack.clients.apache_balancer import Balancer
from harness.stack.handle import Stack
from harness.stack.lifecycle import up
from harness.stack.model import state as state_module
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from tests.fakes.machine import Machine, fails

CONNECTION = "mysql+pymysql://placement:word@mariadb/placement"
# Output of `docker compose config` for compose.yaml, as far as the harness reads it.
PROJECT: dict[str, Any] = {
    "name": "one",
    "services": {
        "placement": {
            "image": "placement-harness/placement:latest",
            "build": {"context": "services/placement"},
            "deploy": {"replicas": 3},
            "environment": {"OS_PLACEMENT_DATABASE__CONNECTION": CONNECTION},
        },
        "apache": {"environment": {"REPLICAS": "3"}, "ports": []},
        "mariadb": {"environment": {}},
    },
}
CONFIG = f"echo '{json.dumps(PROJECT)}'"
UP, DOWN = "compose*up*--detach*", "compose*down*"
WELL = {
    "version*": "echo 28.0.0",
    "compose version*": "echo 2.40.3",
    "compose*config*": CONFIG,
    "events*": "exec /bin/sleep 60",
    "logs*": "echo last words",
}
TAKEN = fails("Bind for 127.0.0.1:1 failed: port is already allocated")


def quick(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(state_module, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(up, "READY_SECONDS", 1.0)
    monkeypatch.setattr(up, "ensure_images", lambda *_: [])
    monkeypatch.setattr(Stack, "token", lambda self, *how: "a token")
    monkeypatch.setattr(Stack, "whole", lambda self: True)
    monkeypatch.setattr(Stack, "asks_replica", lambda self, *which: None)
    monkeypatch.setattr(Balancer, "only", lambda self, replicas: None)
    machine.has("docker", WELL)


def downs(machine: Machine) -> int:
    return sum(" down " in f"{call} " for call in machine.calls)


def ups(machine: Machine) -> int:
    return sum(" up --detach" in call for call in machine.calls)


def nothing_left() -> bool:
    root = state_root()
    return not root.exists() or not [path for path in root.iterdir() if path.is_dir()]


def left_behind(name: str, lifetime: str = "fresh", *, ready: bool = True) -> StackState:
    state = StackState(name)
    state.create(Record(name, lifetime, 1, 1, ready=ready), Secrets())  # type: ignore[arg-type]
    return state
