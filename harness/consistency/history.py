"""Histories: every call of a run, when it began and ended, and what its outcome was.

A history is a file of JSON lines, written as the calls happen, so that a killed run loses none:

    {"header": ...}                                       how the run was made
    [NUMBER, PROCESS, ROUND, KIND, AT, VALUE, REPLICA]    a call begins
    [NUMBER, "ok", AT, STATUS, REQUEST, RESULT, ERROR]    it was answered with a success
    [NUMBER, "fail", ...]                                 it was refused: nothing was written
    [NUMBER, "info", ...]                                 its outcome is unknown
    {"error": TEXT}                                       the next error, from 0 on
    {"fault": NAME, "of": SERVICE, "from": AT, "heal": AT, "to": AT}
                                                          a fault was injected, and is healed
    {"table": NAME, "rows": [...]}                        rows of the database at the end, or some
    {"end": COUNT}                                        the run came to its end: so many calls

Calls are numbered from 1 on. AT is in microseconds since the run began. REQUEST has no "req-"
before it; ERROR is its number, or a text; what follows the last value that is not empty is left
out. Objects of a run are called by names that say their round, such as r12/host, not by their
UUIDs.
"""

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

# Name of an object of a round, e.g. r12/host, or R12_TRAIT where placement wants such names.
IN_ROUND = re.compile(r"(?:CUSTOM_[A-Z0-9]+_R|r)(\d+)[/_]")
# Before every request id of placement's.
REQUEST = "req-"
MICROSECONDS = 1_000_000
# Different errors that a history writes once alone.
ERRORS = 1_000
# Rows of a table in one line of a history, at most.
ROWS = 5_000
ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Outcome(StrEnum):
    """Outcome of a call, in Jepsen's words. INFO: it may have been carried out or not."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


OUTCOMES = {str(outcome): outcome for outcome in Outcome}


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of one process.

    ``begin`` and ``end`` are seconds since the run began; ``end`` is None without an answer of any
    kind. ``kind`` and ``value`` are the workload's words for the call, ``result`` is the part of
    the answer that its checker needs, ``error`` the code and the detail of a refusal.
    """

    number: int
    process: int
    round: int
    kind: str
    begin: float
    value: Any = None
    replica: int = 0
    end: float | None = None
    outcome: Outcome = Outcome.INFO
    status: int | None = None
    request: str = ""
    result: Any = None
    error: str = ""

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK

    @property
    def may_count(self) -> bool:
        """Whether the call was carried out, or may have been."""
        return self.outcome is not Outcome.FAIL

    def overlaps(self, other: "Operation") -> bool:
        """Whether both were under way at one moment; a call without an end never ends."""
        return (other.end is None or self.begin < other.end) and (
            self.end is None or other.begin < self.end
        )


def is_preparation(operation: Operation) -> bool:
    """Whether a call makes what its round needs."""
    return operation.kind.startswith("prepare")


def is_write(operation: Operation) -> bool:
    """Whether an operation is one of the workload's writes: no read, and no preparation."""
    return _is_write(operation.kind)


def _is_write(kind: str) -> bool:
    return not kind.startswith(("prepare", "read"))


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that was injected, and is healed. Seconds since the run began.

    It was injected from ``begin`` on, in force until ``heal``, and healed at ``end``.
    """

    fault: str
    service: str
    begin: float
    heal: float
    end: float


def faults_of(header: Mapping[str, Any]) -> Sequence[str]:
    """Names of the faults that a history's run was to inject."""
    return [str(name) for name in header.get("faults", ())]


@dataclass(frozen=True)
class History:
    """A run. ``complete`` is False for a file that was cut off."""

    header: Mapping[str, Any] = field(default_factory=dict)
    operations: Sequence[Operation] = ()
    tables: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    # The faults that have kept anything from happening.
    strikes: Sequence[Strike] = ()
    complete: bool = True

    @cached_property
    def rounds(self) -> dict[int, list[Operation]]:
        """The operations of each round, in the order in which they began."""
        rounds: dict[int, list[Operation]] = {}
        for operation in self.operations:
            rounds.setdefault(operation.round, []).append(operation)
        return rounds

    @cached_property
    def prepared(self) -> dict[int, list[Operation]]:
        """The rounds whose preparation succeeded: of others nothing can be said."""
        return {
            number: operations
            for number, operations in self.rounds.items()
            if all(call.ok for call in operations if is_preparation(call))
        }

    @cached_property
    def _rows(self) -> dict[str, dict[int, list[Sequence[Any]]]]:
        return {}

    def rows(self, table: str) -> dict[int, list[Sequence[Any]]]:
        """Rows of a table by the round whose objects they name; -1 for rows that name none."""
        if table not in self._rows:
            rows: dict[int, list[Sequence[Any]]] = {}
            for row in self.tables.get(table, ()):
                rows.setdefault(round_of(row), []).append(row)
            self._rows[table] = rows
        return self._rows[table]


def round_of(row: Sequence[Any]) -> int:
    """The round whose objects a row names; -1 for a row that names none."""
    for value in row:
        match = IN_ROUND.match(value) if isinstance(value, str) else None
        if match:
            return int(match[1])
    return -1


class Writer:
    """Writes a history while it happens; threads may share it.

    ``begin`` is the run's beginning on time.perf_counter.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], begin: float) -> None:
        # Without a buffer the kernel has each line at once, whatever happens to this process.
        self._file = path.open("xb", buffering=0)
        self._lock = threading.Lock()
        self._begin = begin
        self.count = 0
        # How many writes have begun, and how many of them are under way (``is_write``).
        self.written = self.writing = 0
        self._errors: dict[str, int] = {}
        self._write({"header": header})

    def invoke(
        self, process: int, round_: int, kind: str, value: Any, replica: int, at: float
    ) -> int:
        """Note that a call begins; give its number."""
        with self._lock:
            self.count += 1
            self.written += _is_write(kind)
            self.writing += _is_write(kind)
            self._write([self.count, process, round_, kind, self._time(at), value, replica])
            return self.count

    def complete(self, operation: Operation, at: float) -> None:
        """Note how a call ended."""
        request = operation.request.removeprefix(REQUEST)
        with self._lock:
            self.writing -= _is_write(operation.kind)
            error = self._error(operation.error)
            rest = [operation.status, request, operation.result, error]
            while rest and rest[-1] in (None, ""):
                del rest[-1]
            self._write([operation.number, str(operation.outcome), self._time(at), *rest])

    def _error(self, text: str) -> int | str:
        """The number of an error that was written before, or is written now; else its text."""
        if text and text not in self._errors and len(self._errors) < ERRORS:
            self._errors[text] = len(self._errors)
            self._write({"error": text})
        return self._errors.get(text, text)

    def table(self, name: str, rows: Sequence[Any]) -> None:
        """Note the rows of a table at the end of the run; lines are kept to some length."""
        with self._lock:
            for begin in range(0, max(len(rows), 1), ROWS):
                self._write({"table": name, "rows": rows[begin : begin + ROWS]})

    def strike(self, strike: Strike, *, met: bool = True) -> None:
        """Note a fault that was injected and healed, and whether it has met anything.

        Its moments are those of time.perf_counter.
        """
        line = {
            "fault": strike.fault,
            "of": strike.service,
            "from": self._time(strike.begin),
            "heal": self._time(strike.heal),
            "to": self._time(strike.end),
        }
        with self._lock:
            self._write(line if met else {**line, "met": False})

    def close(self, *, complete: bool) -> None:
        if complete:
            self._write({"end": self.count})
        self._file.close()

    def _time(self, at: float) -> int:
        return round((at - self._begin) * MICROSECONDS)

    def _write(self, line: Any) -> None:
        self._file.write(f"{ENCODE(line)}\n".encode())
