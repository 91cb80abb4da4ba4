"""A footprint as lines for the terminal."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from harness.core.words import counted
from harness.footprint.compare import Difference
from harness.footprint.measure import Footprint
from harness.footprint.parts import by
from harness.footprint.processes import Process

ROWS = 15


def mb(size: float) -> str:
    """A size with its unit, in powers of ten as docker writes it."""
    if abs(size) < 1e6:
        return f"{size / 1e3:.1f} kB"
    return f"{size / 1e6:.2f} MB"


def summary(footprint: Footprint) -> Iterator[str]:
    loading = footprint.loading
    options = loading.options
    yield f"{footprint.title} (Python {loading.python})"
    consists = f"{footprint.size} bytes in {counted(len(footprint.parts), 'part')}"
    yield f"image     {mb(footprint.size)}, {consists}"
    yield f"modules   {len(footprint.modules)}, imported in {loading.seconds:.2f} s of CPU"
    if loading.memory:
        sizes = ", ".join(f"{name} {mb(size)}" for name, size in sorted(loading.memory.items()))
        yield f"memory    {sizes} (one process with placement imported)"
    given = [option for option in options if option.is_set]
    unread = [f"{option.group}.{option.name}" for option in given if not option.read]
    read = sum(option.read for option in options)
    yield f"options   {len(given)} set, {read} of {len(options)} read while placement loads"
    if unread:
        yield f"          set and not read: {', '.join(unread)}"


def sizes(footprint: Footprint, field: str, rows: int = ROWS) -> Iterator[str]:
    """Sizes by distribution, package or path, with imported modules where they are known."""
    listed = by(footprint.parts, field)
    modules = Counter(footprint.distributions.values()) if field == "distribution" else None
    times: Counter[str] = Counter()
    for module in footprint.modules:
        times[footprint.distributions[module.name]] += module.microseconds
    yield (
        f"{'size':>10} {'files':>6}"
        + (f" {'modules':>8} {'ms':>6}" if modules else "")
        + f"  {field}"
    )
    for name, size, count in listed[:rows]:
        more = f" {modules[name]:8} {times[name] / 1000:6.1f}" if modules is not None else ""
        yield f"{mb(size):>10} {count:6}{more}  {name}"
    if len(listed) > rows:
        rest = listed[rows:]
        blank = " " * 16 if modules else ""
        size, count = sum(size for _, size, _ in rest), sum(count for *_, count in rest)
        yield f"{mb(size):>10} {count:6}{blank}  {counted(len(rest), 'other')}"


def processes(measured: Sequence[Process], width: int = 60) -> Iterator[str]:
    """Memory of each process, and the sum. A sum of ``rss`` would count shared pages twice."""
    yield f"{'rss':>10} {'pss':>10}  {'service':<12} process"
    for process in measured:
        command = (
            process.command
            if len(process.command) <= width
            else f"{process.command[: width - 3]}..."
        )
        yield f"{mb(process.rss):>10} {mb(process.pss):>10}  {process.service:<12} {command}"
    total = sum(process.pss for process in measured)
    yield f"{'':>10} {mb(total):>10}  all of them"


def difference(change: Difference, rows: int = ROWS) -> Iterator[str]:
    """The parts that have grown or shrunk, and the cause of new modules."""
    before, after = change.before, change.after
    yield f"{before.title} -> {after.title}"
    yield f"image     {mb(before.size)} -> {mb(after.size)} ({change.bytes:+} bytes)"
    yield f"modules   {len(before.modules)} -> {len(after.modules)} ({change.modules:+})"
    if not change.changes:
        yield "nothing differs"
    for part in change.changes[:rows]:
        size = f"{'+' if part.bytes >= 0 else '-'}{mb(abs(part.bytes))}"
        yield f"{size:>12} {part.modules:+5} modules  {part.distribution}"
        yield from (f"{'':12} {size:+} bytes {path}" for path, size in part.files[:1])
        if part.cause:
            importer, module = part.cause
            yield f"{'':12} {importer} imports {module}"
    rest = change.changes[rows:]
    if rest:
        yield f"{sum(part.bytes for part in rest):+} bytes in {counted(len(rest), 'other')}"


def document(footprint: Footprint) -> str:
    return json.dumps(footprint.as_data(), indent=None, separators=(",", ":"))
