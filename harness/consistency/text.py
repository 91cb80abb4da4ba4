"""Words of a check on a screen."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from harness.consistency.check import Checked
from harness.consistency.history import Operation, faults_of
from harness.consistency.judge import Judgement, Verdict
from harness.consistency.known import Known, record
from harness.core.words import counted

# Violations of one promise, and operations of one violation, that are shown.
SHOWN, OPERATIONS = 3, 12
# Kinds of faults that have a line of their own, at most.
NAMED = 3
SIGNS = {
    Judgement.HELD: "held",
    Judgement.KNOWN: "known",
    Judgement.VIOLATED: "VIOLATED",
    Judgement.NOT_DECIDED: "undecided",
}


def lines(checked: Checked) -> Iterator[str]:
    """The verdict of a check, its reasons and its figures."""
    figures = checked.report.figures
    yield (
        f"{checked.header['workload']}: "
        f"{counted(figures['rounds'], 'round')}, {counted(figures['writes'], 'write')}: "
        f"{figures['acknowledged']} acknowledged, {figures['refused']} refused, "
        f"{figures['unknown']} unknown; {figures['overlapping']:.0%} overlapped with another"
    )
    if faults_of(checked.header):
        yield from _faults(figures)
        settings = checked.header.get("settings", {})
        if settings:
            yield f"  database   {', '.join(f'{name} {settings[name]}' for name in settings)}"
    for verdict in checked.report.verdicts:
        yield f"  {SIGNS[verdict.judgement]:9}  {verdict.promise}"
        if verdict.reason:
            yield f"             {verdict.reason}"
        yield from _known(verdict)
        yield from _violations(verdict, checked)
    yield f"  history    {checked.path}"


def _faults(figures: Mapping[str, Any]) -> Iterator[str]:
    """How often which faults were injected, and how many met a write under way."""
    counts = figures["faults"]
    total = sum(counts.values())
    if len(counts) > NAMED:
        yield f"  fault      {len(counts)} kinds, {counted(total, 'time')}, healed"
    else:
        for name in sorted(counts):
            yield f"  fault      {name}, {counted(counts[name], 'time')}, healed"
    yield f"             {figures['struck']} of {total} struck while a write was under way"


def _known(verdict: Verdict) -> Iterator[str]:
    """A line for each known defect that was found: its name, and how often."""
    counts = Counter(violation.known for violation in verdict.violations if violation.known)
    for name, count in counts.most_common():
        what = next(each.what for each in verdict.violations if each.known == name)
        yield f"             {count} x {name}: {what[:100]}"


def _violations(verdict: Verdict, checked: Checked) -> Iterator[str]:
    new = [violation for violation in verdict.violations if not violation.known]
    if not new:
        return
    rounds = {violation.round for violation in new}
    times = f"{counted(len(new), 'time')}, in {counted(len(rounds), 'round')}"
    yield f"             {times}; the first:"
    for violation in new[:SHOWN]:
        yield f"             round {violation.round}: {violation.what}"
    elsewhere = Known(checked.header, record()).elsewhere(new[0])
    if elsewhere:
        yield f"             known as {elsewhere}, but not on this database or placement"
    for operation in new[0].operations[:OPERATIONS]:
        yield f"               {_operation(operation)}"
    hidden = len(new[0].operations) - OPERATIONS
    if hidden > 0:
        yield f"               and {hidden} more"


def _operation(operation: Operation) -> str:
    end = "      " if operation.end is None else f"{operation.end:.3f}"
    return (
        f"{operation.begin:.3f}-{end} s  client {operation.process}, replica {operation.replica}: "
        f"{operation.kind} {operation.value} -> {operation.status or operation.error} "
        f"{operation.request}"
    )
