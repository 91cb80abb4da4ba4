"""Cuts the output of programs and containers to the last lines, which say why something failed."""

from collections.abc import Sequence

LAST_LINES = 12
# A longer line, e.g. a log line with a whole answer in it, is cut in its middle. Characters.
LONGEST_LINE = 4000


def last_lines(text: str, count: int = LAST_LINES) -> list[str]:
    """The last lines of a program's output."""
    return [*map(cut, text.splitlines()[-count:])]


def cut(line: str) -> str:
    """The line, without its middle if it is very long."""
    missing = len(line) - LONGEST_LINE
    if missing <= 0:
        return line
    head, tail = line[: LONGEST_LINE // 2], line[-LONGEST_LINE // 2 :]
    return f"{head} ... {missing} characters left out ... {tail}"


def shortened(lines: Sequence[str], count: int) -> list[str]:
    """The last lines of a log, below a line with the number of lines that are left out."""
    missing = len(lines) - count
    if missing <= 0:
        return [*map(cut, lines)]
    return [f"... {missing} earlier lines left out ...", *map(cut, lines[-count:])]
