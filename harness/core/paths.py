"""Where the project's own files are, and where stacks are remembered."""

import os
import pathlib

# Holds compose.yaml and services/.
ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ROOT / "services"


def state_root() -> pathlib.Path:
    chosen = os.environ.get("PLACEMENT_HARNESS_STATE")
    if chosen:
        return pathlib.Path(chosen).absolute()
    base = os.environ.get("XDG_STATE_HOME") or pathlib.Path.home() / ".local/state"
    return pathlib.Path(base) / "placement-harness"
