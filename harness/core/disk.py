"""Recognizes a full disk by the output of the command that failed."""

from collections.abc import Sequence

from harness.core.errors import BuildError
from harness.core.process import Outcome


def says_disk_full(output: str) -> bool:
    return "no space left on device" in output.lower()


def disk_full(what: str, evidence: Sequence[str] = ()) -> BuildError:
    """The error for work that a full disk has stopped; ``what`` says which work."""
    return BuildError(
        f"The disk is full: {what}.",
        "Make room, then run again: `docker system df` shows what docker keeps, `docker builder "
        "prune` removes old build steps. The images and their build need about 6 GB.",
        evidence=evidence,
    )


def stop_if_full(what: str, outcome: Outcome) -> None:
    """Raise BuildError where a command failed because the disk is full."""
    if not outcome.ok and says_disk_full(outcome.err + outcome.out):
        raise disk_full(what, outcome.evidence)
