"""Images of a fake engine, and placements that no index has to be asked for."""

from pathlib import Path

from harness.placements.model import Placement, Schema

# How the harness lists its images.
LIST = "image ls*label*"


def listed(*tags: str) -> str:
    """Shell command that lists these images, for a fake docker."""
    lines = [rf"{tag}\t{number}\n" for number, tag in enumerate(tags)]
    return f"printf '{''.join(lines)}'"


def other(locked: bool = False, content: str = "one", schema: str = "two") -> Placement:
    """A placement besides the locked release."""
    here = Path()
    known = Schema("b", frozenset("ab"), schema)
    return Placement("15", "release", "15.0.0", here, here, content, known, locked=locked)
