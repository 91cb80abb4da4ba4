"""Cuts the output of programs and containers to the last lines, which say why something failed."""

from collections.abc import Sequence

LAST_LINES = 12


def last_lines(text: str, count: int = LAST_LINES) -> list[str]:
    """The last lines of a program's output."""
    return text.splitlines()[-count:]


def shortened(lines: Sequence[str], count: int) -> list[str]:
    """The last lines of a log, below a line with the number of lines that are left out."""
    missing = len(lines) - count
    if missing <= 0:
        return [*lines]
    return [f"... {missing} earlier lines left out ...", *lines[-count:]]
