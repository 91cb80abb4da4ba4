"""Runs the known defects that a stack should have, and says of each whether it still occurs."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.consistency.check import Checked
from harness.consistency.judge import Judgement
from harness.consistency.known import Defect
from harness.core.words import counted

# Load after which it is looked whether all defects of a workload have occurred. Seconds.
SLICE = 10.0
# Longest load for the defects of one workload, unless told otherwise. Seconds.
LONGEST = 120.0


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A known defect on one database: how often it was found, within so much load."""

    defect: Defect
    database: str
    times: int
    seconds: float

    @property
    def judgement(self) -> Judgement:
        """Not decided where a defect that always occurs did not."""
        gone = self.defect.always and not self.times
        return Judgement.NOT_DECIDED if gone else Judgement.KNOWN

    def __str__(self) -> str:
        if self.times:
            return f"occurs     {self.defect.name}, {self.database}: {counted(self.times, 'time')}"
        if self.defect.always:
            return (
                f"GONE       {self.defect.name}, {self.database}: it always occurred within "
                f"{self.seconds:g} s. Set its `until` in the record."
            )
        return f"not met    {self.defect.name}, {self.database}: it occurs now and then"


# Runs a workload for some seconds, and judges it by the record.
Runs = Callable[[str, float], Checked]


def occurrences(
    defects: Iterable[Defect], database: str, placements: Sequence[str], run: Runs, longest: float
) -> Iterator[Occurrence]:
    """Run what shows the defects of this database and placement, until each has occurred.

    A workload runs as long as the slowest of its defects needs, and no longer than ``longest``.
    """
    waiting = [defect for defect in defects if defect.may_occur(database, placements)]
    while waiting:
        workload = _command_workload(waiting[0])
        shown = [defect for defect in waiting if _command_workload(defect) == workload]
        seconds = min(longest, max(defect.seconds for defect in shown))
        times: Counter[str] = Counter()
        spent = 0.0
        while spent < seconds and not all(times[defect.name] for defect in shown):
            span = min(SLICE, seconds - spent)
            times += _known(run(workload, span))
            spent += span
        for defect in shown:
            yield Occurrence(defect, database, times[defect.name], spent)
        waiting = [defect for defect in waiting if defect not in shown]


def _known(checked: Checked) -> Counter[str]:
    return Counter(
        violation.known
        for verdict in checked.report.verdicts
        for violation in verdict.violations
        if violation.known
    )


def _command_workload(defect: Defect) -> str:
    """The workload of a defect's command."""
    words = defect.command.split()
    return words[words.index("--workload") + 1]
