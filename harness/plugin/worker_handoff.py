"""Where xdist's workers learn of the target, which is not there yet when they begin."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.core.deadline import GLANCE
from harness.core.files import Scratch, write_private


class Meeting:
    """The controller's side: a file that only this user can read."""

    def __init__(self) -> None:
        self._scratch: Scratch | None = None

    def place(self, number: int) -> dict[str, Any]:
        """What the worker of this number, from 0, needs to get there."""
        if self._scratch is None:
            self._scratch = Scratch()
        return {"file": str(self._scratch.path / "targets.json"), "number": number}

    def open(self, shares: Sequence[Mapping[str, object]]) -> None:
        """Tell each worker what it needs to attach to the target."""
        file = Path(self.place(0)["file"])
        write_private(file, json.dumps([dict(one) for one in shares]))

    def close(self) -> None:
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None


def wait_at(place: Mapping[str, Any]) -> Mapping[str, object]:
    """The worker's side: wait for what it needs. Raises SystemExit when the controller is gone."""
    file, controller = Path(place["file"]), os.getppid()
    while not file.exists():
        if os.getppid() != controller or not file.parent.exists():
            raise SystemExit("the run has ended")
        time.sleep(GLANCE / 2)
    shares: list[Mapping[str, object]] = json.loads(file.read_text())
    number: int = place["number"]
    return shares[number]
