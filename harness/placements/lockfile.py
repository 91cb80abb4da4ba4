"""Locks a placement's dependencies as of its own date, since later ones break older versions."""

import datetime
import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from harness.core.errors import UsageError
from harness.placements import package_index
from harness.placements.checkout import series
from harness.placements.model import NAME, SERVICE
from harness.placements.package_index import NO_SOLUTION, PYTHON

# Series -> a day shortly after its first release.
DATES = {13: "2025-04-10", 14: "2025-10-15", 15: "2026-04-15"}
# Requirements and constraints follow a release within this time.
SETTLING = datetime.timedelta(days=14)
# The server and the drivers are the same for every version of placement.
SERVERS = ("pymysql", "python-memcached", "pyuwsgi", "etcd3gw")
NO_DATE = "2999-12-31"
LOCK = SERVICE / "requirements.txt"


def locked_version() -> str:
    """The version in the project's own lock."""
    return _pin(NAME)


def _pin(name: str) -> str:
    match = re.search(rf"^{re.escape(name)}==(\S+)", LOCK.read_text(), re.M)
    if match is None:
        raise UsageError(f"{LOCK} does not lock {name}.", "Lock it again: make lock.")
    return match[1]


def date_of(version: str) -> str:
    """Date of a version's dependencies, as YYYY-MM-DD. Raises the errors of ``uploaded``."""
    number = series(version)
    if number in DATES:
        return DATES[number]
    try:
        first = package_index.uploaded(f"{number}.0.0")
    except package_index.NoSuchVersionError:
        # The series has no release yet: take the day of this candidate.
        first = package_index.uploaded(version)
    return (datetime.date.fromisoformat(first) + SETTLING).isoformat()


def date_of_checkout(version: str) -> str | None:
    """Date of a checkout's dependencies; None unless it is older than the locked release."""
    old = 0 < series(version) < series(locked_version())
    return date_of(version) if old else None


def until(date: str | None, *always: str) -> list[str]:
    """uv's options that exclude later versions, except of the packages ``always``."""
    if date is None:
        return []
    exempt = [word for name in always for word in ("--exclude-newer-package", f"{name}={NO_DATE}")]
    return ["--exclude-newer", date, *exempt]


def lock(requirements: Sequence[str], date: str | None, constraints: Path | None) -> Path:
    """Path of a lock file with hashes for these requirements and their dependencies; made once.

    Raises UsageError for requirements that conflict, UnreachableError without an index.
    """
    wanted = [*requirements, *(f"{name}=={_pin(name)}" for name in SERVERS)]
    limits_text = constraints.read_text(encoding="utf-8") if constraints else ""
    key = hashlib.sha256(
        "\0".join([*wanted, date or "", limits_text, PYTHON]).encode()
    ).hexdigest()[:16]
    path = package_index.home() / "locks" / f"{key}.txt"
    if path.is_file():
        return path
    path.parent.mkdir(exist_ok=True)
    limits = path.with_suffix(f".limits.{os.getpid()}")
    # The servers' versions come from the project's lock, whatever a constraint says.
    exempt = "|".join(re.escape(name) for name in (*SERVERS, NAME))
    limits.write_text(re.sub(rf"(?im)^(?:{exempt})\s*[=<>~!].*$", "", limits_text))
    try:
        answer = package_index.uv(
            *("pip", "compile", "--quiet", "--no-header", "--no-annotate", "--generate-hashes"),
            *("--no-emit-index-url", "--no-emit-find-links", "--universal"),
            *("--python-version", PYTHON, "--constraints", str(limits)),
            *until(date, NAME, *SERVERS),
            "-",
            stdin="\n".join(wanted) + "\n",
        )
    finally:
        limits.unlink()
    if answer.code == NO_SOLUTION:
        which = f"{constraints}" if constraints else f"of {date}" if date else "of today"
        raise UsageError(
            f"The dependencies of {NAME} ({which}) do not fit together.",
            "Name versions that do: --placement-constraints FILE, e.g. upper-constraints.txt of "
            "its series."
            if constraints is None
            else "Correct the file, or leave --placement-constraints away.",
            evidence=answer.errors,
        )
    if answer.code:
        raise package_index.unreachable("placement's dependencies", answer.errors)
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(answer.out)
    partial.replace(path)
    return path


def of_file(path: Path) -> list[str]:
    """The requirements in a requirements.txt."""
    lines = (line.partition(" #")[0].strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]
