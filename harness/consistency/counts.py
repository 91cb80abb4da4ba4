"""Counts of a history: whether its promises were put to the test at all."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from harness.consistency.history import (
    History,
    Operation,
    Outcome,
    Strike,
    faults_of,
    is_preparation,
    is_write,
)
from harness.core.words import counted

# Share of a run's writes that must overlap with another client's write of the same object.
LEAST_OVERLAP = 0.3
# Share of the injected faults that must strike while a write is under way.
LEAST_STRUCK = 0.95
# Rounds of a run, and calls of each kind that met another client's write of the same object.
LEAST_ROUNDS, LEAST_MET = 5, 20

# Gives the object that a call contends for, within its round.
Key = Callable[[Operation], Any]


def whole_round(_: Operation) -> Any:
    """Key of workloads whose calls all contend for one object of the round."""
    return None


class Counts:
    """Counts of a history, added up part by part; ``key`` is the workload's."""

    def __init__(self, key: Key = whole_round) -> None:
        self._key = key
        self.rounds = self.calls = self.writes = self.overlapping = 0
        self.outcomes = dict.fromkeys(Outcome, 0)
        self.succeeded: set[str] = set()
        # Calls of each kind that met another client's write of the same object.
        self.met: dict[str, int] = {}
        self.strikes: Sequence[Strike] = ()
        self.struck: set[int] = set()
        self.complete = True

    def add(self, part: History) -> None:
        """Count a part of the history, of rounds that no other part has."""
        # A round that could not be prepared has no writes.
        self.rounds += sum(any(map(is_write, calls)) for calls in part.rounds.values())
        self.calls += len(part.operations)
        for operation in part.operations:
            if operation.ok:
                self.succeeded.add(operation.kind)
            if is_write(operation):
                self.writes += 1
                self.outcomes[operation.outcome] += 1
        for operation in meetings(part, self._key):
            self.met[operation.kind] = self.met.get(operation.kind, 0) + 1
            self.overlapping += is_write(operation)
        self.strikes = part.strikes
        self.struck |= _struck(part)
        self.complete = part.complete

    def figures(self) -> dict[str, Any]:
        return {
            "rounds": self.rounds,
            "calls": self.calls,
            "writes": self.writes,
            "acknowledged": self.outcomes[Outcome.OK],
            "refused": self.outcomes[Outcome.FAIL],
            "unknown": self.outcomes[Outcome.INFO],
            "faults": dict(Counter(strike.fault for strike in self.strikes)),
            "struck": len(self.struck),
            "overlapping": self.overlapping / self.writes if self.writes else 0.0,
        }

    def doubts(self, header: Mapping[str, Any], kinds: Sequence[str]) -> Iterator[str]:
        """Reasons for which nothing can be decided from a history, whatever a checker found.

        Each of ``kinds`` must have succeeded once, and must have met writes of the same object.
        """
        if not self.complete:
            yield "the history was cut off"
        missing = sorted({*kinds} - self.succeeded)
        if missing:
            yield f"no {' and no '.join(missing)} was acknowledged"
        else:
            yield from self._few(kinds)
        yield from self._missed(faults_of(header), alone="beside" not in header)

    def _few(self, kinds: Sequence[str]) -> Iterator[str]:
        if self.rounds < LEAST_ROUNDS:
            yield f"only {counted(self.rounds, 'round')} made, of {LEAST_ROUNDS} at least"
        share = self.overlapping / self.writes if self.writes else 0.0
        if share < LEAST_OVERLAP:
            writes = counted(self.writes, "write")
            yield f"only {share:.0%} of {writes} overlapped with one of the same object"
        for kind in kinds:
            if self.met.get(kind, 0) < LEAST_MET:
                yield f"only {self.met.get(kind, 0)} x {kind} met a write, of {LEAST_MET} at least"

    def _missed(self, faults: Sequence[str], *, alone: bool) -> Iterator[str]:
        """Doubts about the faults that the header names; ``alone``: no workload ran beside."""
        struck = {self.strikes[number].fault for number in self.struck}
        missed = [fault for fault in faults if fault not in struck]
        if missed:
            yield f"no write was under way when a fault struck: {', '.join(missed)}"
        elif alone and len(self.struck) < LEAST_STRUCK * len(self.strikes):
            faults_made = counted(len(self.strikes), "fault")
            yield f"only {len(self.struck)} of {faults_made} met a write under way"


def meetings(history: History, key: Key = whole_round) -> Iterator[Operation]:
    """Calls that overlapped with another client's write of the same object of their round."""
    for operations in history.rounds.values():
        by_key: dict[Any, list[Operation]] = {}
        for operation in operations:
            if not is_preparation(operation):
                by_key.setdefault(key(operation), []).append(operation)
        for calls in by_key.values():
            yield from _met(calls)


def _met(calls: Sequence[Operation]) -> Iterator[Operation]:
    """The calls that met a write of another client, of calls of one object."""
    marked: dict[int, Operation] = {}
    under_way: list[Operation] = []
    for call in sorted(calls, key=lambda call: call.begin):
        under_way = [other for other in under_way if other.end is None or other.end > call.begin]
        for other in under_way:
            if other.process != call.process:
                if is_write(other):
                    marked[call.number] = call
                if is_write(call):
                    marked[other.number] = other
        under_way.append(call)
    yield from marked.values()


def _struck(history: History) -> set[int]:
    """Numbers of the faults that were in force while a write was under way."""
    waiting = dict(enumerate(history.strikes))
    struck = set()
    for write in filter(is_write, history.operations):
        if not waiting:
            break
        for number, strike in [*waiting.items()]:
            if write.begin <= strike.heal and (write.end is None or write.end >= strike.begin):
                struck.add(number)
                del waiting[number]
    return struck
