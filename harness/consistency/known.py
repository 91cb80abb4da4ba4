"""The record of known defects: which broken promises are known, and where they may be found.

``known.yaml`` beside this module is the record. A violation that one of its entries names, on a
placement and a database of that entry, is known and fails no check. Any other violation does.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from harness.consistency.judge import NO_SERVER_ERROR, Violation
from harness.core.errors import UsageError

RECORD = Path(__file__).with_name("known.yaml")
# Word of an entry's promise for the promise of every workload that no write is answered with 500.
SERVER_ERROR = "no 500"
VERSION = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?")

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sign:
    """How a defect shows: a promise that it breaks, and a pattern of the violation's words."""

    promise: str
    what: re.Pattern[str]

    def fits(self, violation: Violation) -> bool:
        return violation.promise == self.promise and bool(self.what.search(violation.what))


@dataclass(frozen=True, slots=True)
class Defect:
    """A known defect.

    ``workloads`` show it, ``databases`` have it; placement has it from ``since`` on and before
    ``until`` (empty: no limit is known). ``command`` shows it within ``seconds`` of load, always or
    sometimes. ``reproduced`` says when, where and how often it was last seen.
    """

    name: str
    what: str
    cause: str
    command: str
    workloads: Sequence[str]
    databases: Sequence[str]
    signs: Sequence[Sign]
    reproduced: Mapping[str, Any]
    since: str = ""
    until: str = ""
    seconds: float = 10.0
    always: bool = False

    def fits(self, workload: str, violation: Violation) -> bool:
        """Whether a violation looks like this defect, wherever it was found."""
        return workload in self.workloads and any(sign.fits(violation) for sign in self.signs)

    def may_occur(self, database: str, placements: Iterable[str]) -> bool:
        """Whether this database and one of these placements, by their titles, have the defect."""
        return database in self.databases and any(map(self._has, placements))

    def _has(self, title: str) -> bool:
        version = version_of(title)
        since, until = version_of(self.since), version_of(self.until)
        return (not since or version >= since) and (not until or version < until)


def version_of(title: str) -> Version:
    """The version that a placement's title begins with; empty without one."""
    match = VERSION.match(title)
    return tuple(int(part or 0) for part in match.groups()) if match else ()


class Known:
    """The record, as it applies to one history's workload, database and placements."""

    def __init__(self, header: Mapping[str, Any], defects: Sequence[Defect]) -> None:
        self._workload = str(header.get("workload"))
        database, placements = str(header.get("database")), header.get("placements", ())
        # Nothing is known of a live placement's database: it may be any.
        anywhere = "target" in header
        self._here = [
            defect for defect in defects if anywhere or defect.may_occur(database, placements)
        ]
        self._elsewhere = [defect for defect in defects if defect not in self._here]

    def name(self, violation: Violation) -> str:
        """Name of the known defect that a violation shows; empty for what is not known here."""
        return self._first(self._here, violation)

    def elsewhere(self, violation: Violation) -> str:
        """Name of a defect that is known on other databases or placements alone."""
        return self._first(self._elsewhere, violation)

    def _first(self, defects: Sequence[Defect], violation: Violation) -> str:
        fitting = (defect.name for defect in defects if defect.fits(self._workload, violation))
        return next(fitting, "")


@cache
def record(path: Path = RECORD) -> Sequence[Defect]:
    """The known defects. Raises UsageError for an entry that makes no sense."""
    entry: Any = None
    try:
        entries = yaml.safe_load(path.read_text())["defects"]
        return tuple(_defect(entry := dict(each)) for each in entries)
    except (OSError, TypeError, LookupError, ValueError, re.error, yaml.YAMLError) as error:
        name = entry.get("name", "without a name") if isinstance(entry, dict) else "none"
        raise UsageError(
            f"{path} is no record of known defects; entry {name}: {error}.",
            "docs/consistency.md says which fields there are.",
        ) from error


def _defect(entry: dict[str, Any]) -> Defect:
    signs = tuple(
        Sign(
            NO_SERVER_ERROR if sign["promise"] == SERVER_ERROR else sign["promise"],
            re.compile(sign["what"]),
        )
        for sign in entry.pop("signs")
    )
    if not signs or not entry["workloads"] or not entry["databases"]:
        raise ValueError("it names no sign, no workload, or no database")
    since, until = str(entry.pop("since", "")), str(entry.pop("until", ""))
    return Defect(signs=signs, since=since, until=until, **entry)
