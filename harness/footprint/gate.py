"""Limits of an image's size and of its modules, for CI: what is beyond them, and since when."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from harness.core.errors import UsageError
from harness.core.words import counted
from harness.footprint import text
from harness.footprint.compare import Difference
from harness.footprint.measure import Footprint
from harness.footprint.parts import by

UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20}
LARGEST = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest size in bytes and the largest number of modules; None is no limit."""

    size: int | None = None
    modules: int | None = None


def size(written: str) -> int:
    """The bytes that a size such as 60MB means. Raises UsageError for what is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)", written.strip())
    if match is None or match[2].lower() not in UNITS:
        raise UsageError(
            f"--max-size {written} is no size.", "Give a number and a unit: 60MB, 900kB, 57MiB."
        )
    if not float(match[1]):
        raise UsageError(f"--max-size {written} allows no image.", "Give a size above 0.")
    return int(float(match[1]) * UNITS[match[2].lower()])


def beyond(footprint: Footprint, limits: Limits, since: Difference | None) -> Iterator[str]:
    """A line for each limit that the footprint passes, with what is to blame."""
    if limits.size is not None and footprint.size > limits.size:
        over = footprint.size - limits.size
        yield (
            f"The image has {text.mb(footprint.size)}, {text.mb(over)} more than "
            f"{text.mb(limits.size)}. {_grown(since, 'bytes') or _largest(footprint)}"
        )
    if limits.modules is not None and len(footprint.modules) > limits.modules:
        over = len(footprint.modules) - limits.modules
        yield (
            f"placement imports {counted(len(footprint.modules), 'module')}, {over} more than "
            f"{limits.modules}. {_grown(since, 'modules') or _most(footprint)}"
        )


def _grown(since: Difference | None, field: str) -> str:
    """The parts that have grown most, and the imports that made them; empty without growth."""
    if since is None:
        return ""
    grown = [change for change in since.changes if getattr(change, field) > 0]
    grown.sort(key=lambda change: -getattr(change, field))
    words = []
    for change in grown[:LARGEST]:
        by = text.mb(change.bytes) if field == "bytes" else counted(change.modules, "module")
        cause = f" ({change.cause[0]} imports {change.cause[1]})" if change.cause else ""
        words.append(f"{change.distribution} by {by}{cause}")
    return f"Since {since.before.title}, these have grown: {'; '.join(words)}." if words else ""


def _largest(footprint: Footprint) -> str:
    names = (f"{name} {text.mb(size)}" for name, size, _ in by(footprint.parts, "distribution"))
    return f"The largest parts: {'; '.join([*names][:LARGEST])}."


def _most(footprint: Footprint) -> str:
    counts = Counter(footprint.distributions.values()).most_common(LARGEST)
    return f"Most are of {'; '.join(f'{name} {count}' for name, count in counts)}."
