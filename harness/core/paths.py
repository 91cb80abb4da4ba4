"""Paths of the project's own files, of the user's override file, and of the state of stacks.

compose.yaml, services/, gabbits/ and requirements/compose.txt stand at the root of a checkout. The
build of a wheel (hatch_build.py) puts copies of them into the package, as ``harness/_project``; an
editable installation has no copies, so that it uses the checkout's files.
"""

import os
import pathlib

_PACKAGE = pathlib.Path(__file__).resolve().parents[1]
_IN_A_WHEEL = _PACKAGE / "_project"

# Names a copy of compose.yaml, services/ and requirements/compose.txt that is used in place of the
# project's own: `placement-harness trim` tries images with it.
PROJECT_VARIABLE = "PLACEMENT_HARNESS_PROJECT"
# Holds compose.yaml, services/, gabbits/ and requirements/compose.txt.
_OWN = _IN_A_WHEEL if _IN_A_WHEEL.is_dir() else _PACKAGE.parent
ROOT = pathlib.Path(os.environ.get(PROJECT_VARIABLE) or _OWN)
IS_COPY = ROOT != _OWN
SERVICES = ROOT / "services"
COMPOSE_FILE = ROOT / "compose.yaml"
COMPOSE_LOCK = ROOT / "requirements" / "compose.txt"
# The project's own suites.
SUITES = _OWN / "gabbits"
# A Compose file of the user's, in the directory in which a command is run.
OVERRIDE = "compose.override.yaml"


def override_file(directory: pathlib.Path | None = None) -> pathlib.Path | None:
    """Path of the user's Compose file in ``directory`` (the current one); None without one."""
    path = (directory or pathlib.Path.cwd()) / OVERRIDE
    return path if path.is_file() else None


def state_root() -> pathlib.Path:
    """The directory of all that is remembered, without symbolic links in its path.

    Labels of containers hold the path: a home directory that is a symbolic link has two.
    """
    chosen = os.environ.get("PLACEMENT_HARNESS_STATE")
    if chosen:
        return pathlib.Path(chosen).resolve()
    base = os.environ.get("XDG_STATE_HOME") or pathlib.Path.home() / ".local/state"
    return pathlib.Path(base).resolve() / "placement-harness"
