"""Asks the package index that the user's pip or uv is set to, through uv, and remembers it.

No address is known here, nor how an index is spoken to: uv is asked to solve small requirements.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.deadline import Deadline
from harness.core.errors import UnreachableError, UsageError
from harness.core.files import private_directory
from harness.core.locks import FileLock
from harness.core.paths import state_root
from harness.placements.model import NAME

SECONDS = 300
# Of the interpreter in the images, whose wheels are chosen.
PYTHON = "3.13"
EVIDENCE_LINES = 8
# How long the newest version of a series is taken for that. Seconds.
FRESH = 3600.0
# How long an entry waits for another process that writes one. Seconds.
LOCK_SECONDS, LOCK_INTERVAL = 5.0, 0.01
# uv's exit codes.
NO_SOLUTION = 1


class NoSuchVersionError(Exception):
    """The index has answered, and has nothing that fits."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How uv ended, and its first lines of what went wrong."""

    code: int
    out: str
    said: tuple[str, ...] = ()


def home() -> Path:
    """Where all is kept that is known of placements; made where it is missing."""
    path = state_root() / ".placements"
    private_directory(path)
    return path


def uv_program() -> str:
    """uv: the environment's own, else PATH's. Raises UsageError."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise UsageError(
            "uv is not installed: other placements than the locked one are found with it.",
            "Install it beside the harness: pip install uv.",
        )
    return found


def uv(*words: str, stdin: str = "") -> Answer:
    """Run uv with what pip is told about the index and its certificates."""
    environment = {
        **os.environ,
        **_as_pip(os.environ),
        "NO_COLOR": "1",
        # Nothing is run with another Python than this one: looking for one takes 8 s.
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
    }
    try:
        done = subprocess.run(  # noqa: S603 (no shell)
            [uv_program(), *words],
            input=stdin,
            env=environment,
            # Where no pyproject.toml of somebody's has settings for uv.
            cwd=home(),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer(2, "", (f"uv has not ended in {SECONDS} s",))
    lines = [line.rstrip() for line in done.stderr.splitlines() if line.strip()]
    return Answer(done.returncode, done.stdout, tuple(lines[:EVIDENCE_LINES]))


def _as_pip(environ: Mapping[str, str]) -> dict[str, str]:
    """uv reads no pip settings."""
    same = (
        ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"),
        ("PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL"),
        ("PIP_CERT", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    )
    return {
        first: environ[pip]
        for pip, first, second in same
        if environ.get(pip) and not environ.get(first) and not environ.get(second)
    }


def newest(requirement: str, *options: str) -> str:
    """The version of placement that fits, e.g. openstack-placement==15.*.

    Raises NoSuchVersionError, and UnreachableError where the index cannot be asked.
    """
    found = re.search(rf"^{NAME}==(\S+)", _solve(requirement, *options), re.M)
    if found is None:
        raise NoSuchVersionError
    return found[1]


def near(version: str) -> list[str]:
    """The versions next to one that is not there."""
    found = []
    for requirement, options in (
        (f"{NAME}<{version}", ()),
        (f"{NAME}>{version}", ("--resolution", "lowest-direct")),
    ):
        try:
            found.append(newest(requirement, *options))
        except NoSuchVersionError:
            continue
    return found


def uploaded(version: str) -> str:
    """When a version was published, as YYYY-MM-DD.

    Raises NoSuchVersionError, UnreachableError, and UsageError where the index does not say.
    """
    remembered = recall("uploaded", version)
    if remembered:
        return remembered
    said = _solve(f"{NAME}=={version}", "--format", "pylock.toml")
    days = re.findall(r"upload-time = (\d{4}-\d\d-\d\d)", said)
    if not days:
        raise UsageError(
            f"The package index does not say when {NAME} {version} was published, which tells "
            "of which date its dependencies have to be.",
            "Name them: --placement-constraints FILE.",
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
    raise unreachable(requirement, answer.said)


def unreachable(what: str, said: Sequence[str]) -> UnreachableError:
    return UnreachableError(
        f"The package index could not be asked for {what}.",
        "Check the network, and what PIP_INDEX_URL or UV_DEFAULT_INDEX name. A placement that "
        "was run here before is found without it.",
        evidence=said,
    )


def recall(kind: str, key: str) -> str | None:
    """What the index said at another time."""
    value = _remembered().get(kind, {}).get(key)
    return value if isinstance(value, str) else None


def remember(kind: str, key: str, value: str) -> None:
    """Keep an answer of the index for later runs."""
    path = home() / "index.json"
    with FileLock(path.with_suffix(".lock")) as lock:
        # Without the lock, the later of two processes would drop the entries of the earlier one.
        # A cache is worth no longer wait: the entry is then asked for again.
        if not lock.wait(Deadline.after(LOCK_SECONDS), LOCK_INTERVAL):
            return
        known = _remembered()
        known.setdefault(kind, {})[key] = value
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(known, indent=1))
        partial.replace(path)


def asked(question: str) -> None:
    """Remember that the index was asked this now."""
    remember("asked", question, str(int(time.time())))


def fresh(question: str) -> bool:
    """Whether the index was asked this a short time ago."""
    return time.time() - float(recall("asked", question) or 0) < FRESH


def _remembered() -> dict[str, dict[str, str]]:
    try:
        known = json.loads((home() / "index.json").read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
