"""Judges histories: each promise was held, was violated, or is not decided.

A promise that was not put to the test is not decided: that is no pass.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from harness.consistency.counts import Counts, Key, whole_round
from harness.consistency.history import History, Operation, faults_of

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
    kinds: Sequence[str],
    known: Recorded = nothing_known,
    key: Key = whole_round,
) -> Report:
    """Judge a whole history by a workload's checker; see ``judge_parts``."""
    return judge_parts([history], promises, checker, kinds, known, key)


def judge_parts(
    parts: Iterable[History],
    promises: Sequence[str],
    checker: Checker,
    kinds: Sequence[str],
    known: Recorded = nothing_known,
    key: Key = whole_round,
) -> Report:
    """Judge the parts of a history by a workload's checker, one after the other.

    ``kinds`` are the calls of which each must have succeeded once and must have met writes of the
    same object, which ``key`` gives: else nothing is decided (``Counts.doubts``).
    """
    violations: list[Violation] = []
    counts = Counts(key)
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
    doubts = [*counts.doubts(header, kinds)]
    verdicts = []
    always = () if faults_of(header) else (NO_SERVER_ERROR,)
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


def server_errors(history: History) -> Iterator[Violation]:
    """Answers with 500. Under a fault they are expected, and the header names the fault."""
    if faults_of(history.header):
        return
    for operation in history.operations:
        if operation.status == SERVER_ERROR:
            what = f"{operation.kind} was answered with 500: {operation.error}"
            yield Violation(NO_SERVER_ERROR, operation.round, what, [operation])
