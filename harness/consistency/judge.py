"""Judges histories: each promise was held, was violated, or is not decided.

A promise that was not put to the test is not decided: that is no pass.
"""

import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from harness.consistency.history import History, Operation, Outcome

# Share of a run's writes that must overlap with another write of their round.
LEAST_OVERLAP = 0.3
# Placement's answer to what it did not expect.
SERVER_ERROR = 500


class Judgement(StrEnum):
    """Judgement of a promise, from the worst to the best."""

    VIOLATED = "violated"
    NOT_DECIDED = "not decided"
    # Violated, and all that was found is in the record of known defects (consistency/known).
    KNOWN = "known"
    HELD = "held"

    @property
    def exit_code(self) -> int:
        return {Judgement.VIOLATED: 1, Judgement.NOT_DECIDED: 3}.get(self, 0)

    @classmethod
    def worst(cls, judgements: Iterable["Judgement"]) -> "Judgement":
        """The worst of some judgements; without any, nothing is decided."""
        present = set(judgements)
        return next((judgement for judgement in cls if judgement in present), cls.NOT_DECIDED)


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise: what happened, in which round, and the operations that show it.

    ``known`` is the name of the known defect that it shows.
    """

    promise: str
    round: int
    what: str
    operations: Sequence[Operation] = ()
    known: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict on one promise. ``reason`` says why it is not decided.

    Violations that are not known come first.
    """

    promise: str
    judgement: Judgement
    violations: Sequence[Violation] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is said of a history."""

    verdicts: Sequence[Verdict]
    figures: Mapping[str, Any]

    @property
    def judgement(self) -> Judgement:
        return Judgement.worst(verdict.judgement for verdict in self.verdicts)


def known_names(report: Report) -> list[str]:
    """Names of the known defects that were found, each once."""
    violations = [each for verdict in report.verdicts for each in verdict.violations]
    return list(dict.fromkeys(each.known for each in violations if each.known))


Checker = Callable[[History], Iterable[Violation]]

# Gives the name of the known defect that a violation shows; empty for none.
Recorded = Callable[[Violation], str]

NO_SERVER_ERROR = "no write is answered with 500 while nothing is broken"


def nothing_known(_: Violation) -> str:
    """Name no known defect, whatever the violation is."""
    return ""


def judge(
    history: History,
    promises: Sequence[str],
    checker: Checker,
    kinds: Iterable[str],
    known: Recorded = nothing_known,
) -> Report:
    """Judge a whole history by a workload's checker; see ``judge_parts``."""
    return judge_parts([history], promises, checker, kinds, known)


def judge_parts(
    parts: Iterable[History],
    promises: Sequence[str],
    checker: Checker,
    kinds: Iterable[str],
    known: Recorded = nothing_known,
) -> Report:
    """Judge the parts of a history by a workload's checker, one after the other.

    ``kinds`` are the calls of which each must have succeeded once: else nothing is decided.
    """
    violations: list[Violation] = []
    counts = Counts()
    header: Mapping[str, Any] = {}
    for part in parts:
        header = part.header
        counts.add(part)
        violations += (
            replace(violation, known=known(violation))
            for violation in (*checker(part), *server_errors(part))
        )
    strange = {violation.promise for violation in violations} - {*promises, NO_SERVER_ERROR}
    if strange:
        raise ValueError(f"a checker breaks promises that its workload does not give: {strange}")
    doubts = [*_doubts(header, kinds, counts)]
    verdicts = []
    always = () if header.get("fault") else (NO_SERVER_ERROR,)
    for promise in (*promises, *always):
        broken = [violation for violation in violations if violation.promise == promise]
        broken.sort(key=lambda violation: bool(violation.known))
        reason = "; ".join(doubts)
        if any(not violation.known for violation in broken):
            verdicts.append(Verdict(promise, Judgement.VIOLATED, broken))
        elif doubts:
            verdicts.append(Verdict(promise, Judgement.NOT_DECIDED, broken, reason))
        else:
            judgement = Judgement.KNOWN if broken else Judgement.HELD
            verdicts.append(Verdict(promise, judgement, broken))
    return Report(verdicts, counts.figures())


class Counts:
    """Counts of a history: rounds, calls by outcome, overlapping writes, faults that met one."""

    def __init__(self) -> None:
        self.rounds = self.calls = self.writes = self.overlapping = 0
        self.outcomes = dict.fromkeys(Outcome, 0)
        self.succeeded: set[str] = set()
        self.faults, self.struck, self.complete = 0, False, True

    def add(self, part: History) -> None:
        """Count a part of the history, of rounds that no other part has."""
        self.rounds += len(part.rounds)
        self.calls += len(part.operations)
        for operation in part.operations:
            if operation.ok:
                self.succeeded.add(operation.kind)
            if is_write(operation):
                self.writes += 1
                self.outcomes[operation.outcome] += 1
        self.overlapping += overlapping(part)
        self.faults = len(part.faults)
        self.struck = self.struck or _struck(part)
        self.complete = part.complete

    def figures(self) -> dict[str, Any]:
        return {
            "rounds": self.rounds,
            "calls": self.calls,
            "writes": self.writes,
            "acknowledged": self.outcomes[Outcome.OK],
            "refused": self.outcomes[Outcome.FAIL],
            "unknown": self.outcomes[Outcome.INFO],
            "faults": self.faults,
            "overlapping": self.overlapping / self.writes if self.writes else 0.0,
        }


def server_errors(history: History) -> Iterator[Violation]:
    """Answers with 500. Under a fault they are expected, and the header names the fault."""
    if history.header.get("fault"):
        return
    for operation in history.operations:
        if operation.status == SERVER_ERROR:
            what = f"{operation.kind} was answered with 500: {operation.error}"
            yield Violation(NO_SERVER_ERROR, operation.round, what, [operation])


def is_write(operation: Operation) -> bool:
    """Whether an operation is one of the workload's writes: no read, and no preparation."""
    return not operation.kind.startswith(("prepare", "read"))


def overlapping(history: History) -> int:
    """How many writes overlapped with another process's write of their round."""
    count = 0
    for operations in history.rounds.values():
        writes = sorted(filter(is_write, operations), key=lambda write: write.begin)
        marked: set[int] = set()
        under_way: list[Operation] = []
        for write in writes:
            under_way = [
                other for other in under_way if other.end is None or other.end > write.begin
            ]
            for other in under_way:
                if other.process != write.process:
                    marked |= {other.number, write.number}
            under_way.append(write)
        count += len(marked)
    return count


def _struck(history: History) -> bool:
    """Whether one of the faults was injected while a write was under way."""
    begins = sorted(begin for begin, _ in history.faults)
    for write in filter(is_write, history.operations):
        following = bisect.bisect_left(begins, write.begin)
        if following < len(begins) and (write.end is None or write.end > begins[following]):
            return True
    return False


def _doubts(header: Mapping[str, Any], kinds: Iterable[str], counts: Counts) -> Iterator[str]:
    """Reasons for which nothing can be decided from a history, whatever the checker found."""
    if not counts.complete:
        yield "the history was cut off"
    missing = sorted(set(kinds) - counts.succeeded)
    if missing:
        yield f"no {' and no '.join(missing)} was acknowledged"
    if header.get("fault") and not counts.struck:
        yield "no fault met a write under way"
    figures = counts.figures()
    if not missing and figures["overlapping"] < LEAST_OVERLAP:
        yield (
            f"only {figures['overlapping']:.0%} of {counts.writes} writes overlapped with another"
        )
