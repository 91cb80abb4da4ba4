"""Asks the package index that pip or uv is configured for, through uv, and keeps its answers.

uv does the asking: this module knows neither an address nor the protocol of an index.
"""

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core import packages
from harness.core.deadline import Deadline
from harness.core.errors import UnreachableError, UsageError
from harness.core.files import private_directory
from harness.core.locks import FileLock
from harness.core.paths import state_root
from harness.core.process import TIMED_OUT, run
from harness.placements.model import NAME

SECONDS = 300
# Python version in the images, for which wheels are chosen.
PYTHON = "3.13"
EVIDENCE_LINES = 8
# The newest version of a series is asked for again after this time. Seconds.
FRESH = 3600.0
# Time limit of the wait for another process that writes an entry. Seconds.
LOCK_SECONDS, LOCK_INTERVAL = 5.0, 0.01
# uv's exit codes.
NO_SOLUTION = 1


class NoSuchVersionError(Exception):
    """The index has answered, and has no version that fits."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The exit code of uv, its output, and the first lines of its errors."""

    code: int
    out: str
    errors: tuple[str, ...] = ()


def home() -> Path:
    """Directory of everything that is kept about placements; made if it is missing."""
    path = state_root() / ".placements"
    private_directory(path)
    return path


def uv_program() -> str:
    """Path of uv, in this environment or else on PATH. Raises UsageError."""
    beside = Path(sys.executable).with_name("uv")
    program = str(beside) if beside.is_file() else shutil.which("uv")
    if program is None:
        raise UsageError(
            "uv is not installed, which finds all placements but the locked release.",
            "Install it beside the harness: pip install uv.",
        )
    return program


def uv(*words: str, stdin: str = "") -> Answer:
    """Run uv with the index and the certificates that pip is configured for."""
    environment = {
        **packages.environment(),
        "NO_COLOR": "1",
        # Only this Python is used: looking for others takes 8 s.
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
    }
    outcome = run(
        *(uv_program(), *words),
        seconds=SECONDS,
        stdin=stdin.encode(),
        environment=environment,
        # uv reads settings from the pyproject.toml of its directory; there is none in this one.
        folder=home(),
    )
    if outcome.code == TIMED_OUT:
        return Answer(2, "", (f"uv has not ended in {SECONDS} s",))
    lines = [line.rstrip() for line in outcome.err.splitlines() if line.strip()]
    return Answer(outcome.code, outcome.out, tuple(lines[:EVIDENCE_LINES]))


def newest(requirement: str, *options: str) -> str:
    """Newest version of placement that meets a requirement, e.g. openstack-placement==15.*.

    Raises NoSuchVersionError, and UnreachableError if the index cannot be asked.
    """
    match = re.search(rf"^{NAME}==(\S+)", _solve(requirement, *options), re.M)
    if match is None:
        raise NoSuchVersionError
    return match[1]


def near(version: str) -> list[str]:
    """The next lower and the next higher version of one that does not exist."""
    versions = []
    for requirement, options in (
        (f"{NAME}<{version}", ()),
        (f"{NAME}>{version}", ("--resolution", "lowest-direct")),
    ):
        try:
            versions.append(newest(requirement, *options))
        except NoSuchVersionError:
            continue
    return versions


def uploaded(version: str) -> str:
    """Date on which a version was published, as YYYY-MM-DD.

    Raises NoSuchVersionError, UnreachableError, and UsageError if the index gives no date.
    """
    remembered = recall("uploaded", version)
    if remembered:
        return remembered
    answer = _solve(f"{NAME}=={version}", "--format", "pylock.toml")
    days = re.findall(r"upload-time = (\d{4}-\d\d-\d\d)", answer)
    if not days:
        raise UsageError(
            f"The package index does not say when {NAME} {version} was published, and its "
            "dependencies are those of that date.",
            "Name the dependencies: --placement-constraints FILE.",
        )
    remember("uploaded", version, min(days))
    return str(min(days))


def _solve(requirement: str, *options: str) -> str:
    options = ("--no-deps", "--no-header", "--no-annotate", "--python-version", PYTHON, *options)
    answer = uv("pip", "compile", "--quiet", *options, "-", stdin=f"{requirement}\n")
    if answer.code == 0:
        return answer.out
    if answer.code == NO_SOLUTION:
        raise NoSuchVersionError
    raise unreachable(requirement, answer.errors)


def unreachable(what: str, errors: Sequence[str]) -> UnreachableError:
    return UnreachableError(
        f"The package index could not be asked for {what}.",
        "Check the network, and the address in PIP_INDEX_URL or UV_DEFAULT_INDEX. A placement that "
        "was run here before needs no index.",
        evidence=errors,
    )


def recall(kind: str, key: str) -> str | None:
    """An answer that the index gave to an earlier run."""
    value = _remembered().get(kind, {}).get(key)
    return value if isinstance(value, str) else None


def remember(kind: str, key: str, value: str) -> None:
    """Keep an answer of the index for later runs."""
    path = home() / "index.json"
    with FileLock(path.with_suffix(".lock")) as lock:
        # Without the lock, the later of two processes would drop the entries of the earlier one.
        # Do not wait longer: a missing entry costs one more question to the index.
        if not lock.wait(Deadline.after(LOCK_SECONDS), LOCK_INTERVAL):
            return
        known = _remembered()
        known.setdefault(kind, {})[key] = value
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(known, indent=1))
        partial.replace(path)


def asked(question: str) -> None:
    """Remember that the index was asked this question now."""
    remember("asked", question, str(int(time.time())))


def fresh(question: str) -> bool:
    """Whether the index was asked this question less than FRESH seconds ago."""
    return time.time() - float(recall("asked", question) or 0) < FRESH


def _remembered() -> dict[str, dict[str, str]]:
    try:
        known = json.loads((home() / "index.json").read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
