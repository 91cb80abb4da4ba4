"""Images of a fake engine, and placements that no index has to be asked for."""

from collections.abc import Mapping
from pathlib import Path

from harness.placements.model import Placement, Schema

# How the harness lists its images.
LIST = "image ls*label*"
TAB = "\t"
# What docker does to inspect an image that is not there: it prints an empty line.
MISSING = "echo; echo 'No such image' >&2; exit 1"


def listed(*tags: str) -> str:
    """Shell command that lists these images, for a fake docker."""
    return listed_by_id({tag: number for number, tag in enumerate(tags)})


def listed_by_id(ids: Mapping[str, int]) -> str:
    """What a fake docker does to list these images, whose ids are given."""
    rows = [f"{tag.replace(':', TAB)}{TAB}{number}" for tag, number in ids.items()]
    return f"printf '%s\\n' {' '.join(map(repr_of, rows))}"


def details(*rows: tuple[str, str], driver: str = "overlay2") -> str:
    """What a fake docker does to inspect images, which were made and tagged at these times."""
    fields = [TAB.join(("id", "1000", driver, *times)) for times in rows or [("2026", "0001")]]
    return f"printf '%s\\n' {' '.join(map(repr_of, fields))}"


def repr_of(row: str) -> str:
    """The row as a word of the shell."""
    return f"'{row}'"


def other(locked: bool = False, content: str = "one", schema: str = "two") -> Placement:
    """A placement besides the locked release."""
    here = Path()
    known = Schema("b", frozenset("ab"), schema)
    return Placement("15", "release", "15.0.0", here, here, content, known, locked=locked)
