"""How the controller tells xdist's workers what they need to attach to the target.

Workers begin before the target is up: each gets the path of a file, and waits until it is written.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.core.deadline import GLANCE
from harness.core.exchange import Exchange
from harness.core.exchange_log import read
from harness.core.files import Scratch, write_private


class Handoff:
    """The controller's side: a file that only this user can read, as it may hold tokens."""

    def __init__(self) -> None:
        self._scratch: Scratch | None = None

    def place(self, number: int) -> dict[str, Any]:
        """Where the worker of this number, from 0, finds its share. Raises StackError."""
        if self._scratch is None:
            self._scratch = Scratch()
        return {"file": str(self._scratch.path / "targets.json"), "number": number}

    def exchanges(self, worker: str) -> list[Exchange]:
        """The exchanges that a worker has written down, e.g. one that died; it may have none."""
        file = exchange_log(self.place(0), worker)
        return [*read(file)] if file.exists() else []

    def write(self, shares: Sequence[Mapping[str, object]]) -> None:
        """Hand each worker its share, in the order of their numbers."""
        file = Path(self.place(0)["file"])
        write_private(file, json.dumps([dict(share) for share in shares]))

    def close(self) -> None:
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None


def exchange_log(place: Mapping[str, Any], worker: str) -> Path:
    """File in which the worker of this name writes its exchanges down as it goes."""
    return Path(place["file"]).with_name(f"exchanges-{worker}.jsonl")


def wait_for_share(place: Mapping[str, Any]) -> Mapping[str, object]:
    """The worker's side: wait for its share. Raises SystemExit when the controller has ended."""
    file, controller = Path(place["file"]), os.getppid()
    while not file.exists():
        if os.getppid() != controller or not file.parent.exists():
            raise SystemExit("the run has ended")
        time.sleep(GLANCE / 2)
    shares: list[Mapping[str, object]] = json.loads(file.read_text())
    number: int = place["number"]
    return shares[number]
