"""Words of a check on a screen."""

from collections.abc import Iterator

from harness.consistency.check import Checked
from harness.consistency.history import Operation
from harness.consistency.judge import Judgement, Verdict

# Violations of one promise, and operations of one violation, that are shown.
SHOWN, OPERATIONS = 3, 12
SIGNS = {Judgement.HELD: "held", Judgement.VIOLATED: "VIOLATED", Judgement.NOT_DECIDED: "undecided"}


def lines(checked: Checked) -> Iterator[str]:
    """The verdict of a check, its reasons and its figures."""
    figures = checked.report.figures
    yield (
        f"{checked.header['workload']}: {figures['rounds']} rounds, {figures['writes']} writes: "
        f"{figures['acknowledged']} acknowledged, {figures['refused']} refused, "
        f"{figures['unknown']} unknown; {figures['overlapping']:.0%} overlapped with another"
    )
    if "fault" in checked.header:
        yield f"  fault      {checked.header['fault']}, {figures['faults']} times, healed"
    for verdict in checked.report.verdicts:
        yield f"  {SIGNS[verdict.judgement]:9}  {verdict.promise}"
        if verdict.reason:
            yield f"             {verdict.reason}"
        yield from _violations(verdict)
    yield f"  history    {checked.path}"


def _violations(verdict: Verdict) -> Iterator[str]:
    rounds = {violation.round for violation in verdict.violations}
    if not rounds:
        return
    yield f"             {len(verdict.violations)} times, in {len(rounds)} rounds; the first:"
    for violation in verdict.violations[:SHOWN]:
        yield f"             round {violation.round}: {violation.what}"
    for operation in verdict.violations[0].operations[:OPERATIONS]:
        yield f"               {_operation(operation)}"
    hidden = len(verdict.violations[0].operations) - OPERATIONS
    if hidden > 0:
        yield f"               and {hidden} more"


def _operation(operation: Operation) -> str:
    end = "      " if operation.end is None else f"{operation.end:.3f}"
    return (
        f"{operation.begin:.3f}-{end} s  client {operation.process}, replica {operation.replica}: "
        f"{operation.kind} {operation.value} -> {operation.status or operation.error} "
        f"{operation.request}"
    )
