"""Histories: every call of a run, when it began and ended, and what its outcome was.

A history is a file of JSON lines, written as the calls happen, so that a killed run loses none:

    {"header": ...}                            how the run was made
    {"invoke": NUMBER, "process": ..., ...}    a call begins
    {"ok": NUMBER, ...}                        it was answered with a success
    {"fail": NUMBER, ...}                      it was refused: nothing was written
    {"info": NUMBER, ...}                      its outcome is unknown
    {"fault": SERVICE, "from": ..., "to": ...} a fault was injected, and is healed
    {"table": NAME, "rows": [...]}             rows of the database at the end
    {"end": COUNT}                             the run came to its end, with so many calls

Objects of a run are called by names that say their round, such as r12/host, not by their UUIDs.
"""

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from harness.core.errors import UsageError

# Name of an object of a round, e.g. r12/host, or R12_TRAIT where placement wants such names.
IN_ROUND = re.compile(r"(?:CUSTOM_[A-Z0-9]+_R|r)(\d+)[/_]")
ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Outcome(StrEnum):
    """Outcome of a call, in Jepsen's words. INFO: it may have been carried out or not."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


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


@dataclass(frozen=True, slots=True)
class History:
    """A run. ``complete`` is False for a file that was cut off."""

    header: Mapping[str, Any] = field(default_factory=dict)
    operations: Sequence[Operation] = ()
    tables: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    # Begin and end of each fault that has met anything.
    faults: Sequence[tuple[float, float]] = ()
    complete: bool = True

    @property
    def rounds(self) -> dict[int, list[Operation]]:
        """The operations of each round, in the order in which they began."""
        rounds: dict[int, list[Operation]] = {}
        for operation in self.operations:
            rounds.setdefault(operation.round, []).append(operation)
        return rounds

    def rows(self, table: str) -> dict[int, list[Sequence[Any]]]:
        """Rows of a table by the round whose objects they name; -1 for rows that name none."""
        rows: dict[int, list[Sequence[Any]]] = {}
        for row in self.tables.get(table, ()):
            rows.setdefault(_round_of(row), []).append(row)
        return rows


def _round_of(row: Sequence[Any]) -> int:
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
        self._file: IO[str] = path.open("x", encoding="utf-8")
        self._lock = threading.Lock()
        self._begin = begin
        self.count = 0
        self._write({"header": header})

    def invoke(
        self, process: int, round_: int, kind: str, value: Any, replica: int, at: float
    ) -> int:
        """Note that a call begins; give its number."""
        with self._lock:
            self.count += 1
            number = self.count
            line = {"invoke": number, "process": process, "round": round_, "kind": kind}
            self._write({**line, "at": self._seconds(at), "value": value, "replica": replica})
            return number

    def complete(self, operation: Operation, at: float) -> None:
        """Note how a call ended."""
        line: dict[str, Any] = {str(operation.outcome): operation.number, "at": self._seconds(at)}
        for name in ("status", "request", "result", "error"):
            if getattr(operation, name) not in (None, ""):
                line[name] = getattr(operation, name)
        with self._lock:
            self._write(line)

    def table(self, name: str, rows: Sequence[Any]) -> None:
        """Note the rows of a table at the end of the run."""
        with self._lock:
            self._write({"table": name, "rows": rows})

    def fault(self, service: str, begin: float, end: float, *, met: bool = True) -> None:
        """Note a fault that was injected and healed, and whether it has met anything."""
        with self._lock:
            line = {"fault": service, "from": self._seconds(begin), "to": self._seconds(end)}
            self._write(line if met else {**line, "met": False})

    def close(self, *, complete: bool) -> None:
        if complete:
            self._write({"end": self.count})
        self._file.close()

    def _seconds(self, at: float) -> float:
        return round(at - self._begin, 6)

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(f"{ENCODE(line)}\n")
        # The kernel has the line then, whatever happens to this process.
        self._file.flush()


def read(path: Path) -> History:
    """The history in a file. Raises UsageError for a file that is none, or was edited."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", "Name a history.") from error
    lines = text.split("\n")
    # A killed process may have written half of its last line.
    whole, rest = lines[:-1], lines[-1]
    reader = _Reader()
    for number, line in enumerate(whole, 1):
        try:
            reader.take(json.loads(line))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise UsageError(
                f"{path}, line {number} is no line of a history: {error!r}.",
                "The file was edited, or is of another kind: it cannot be judged.",
            ) from error
    if not reader.header:
        raise UsageError(f"{path} has no header: it is no history.", "Name a history.")
    return reader.history(complete=reader.ended and not rest)


class _Reader:
    def __init__(self) -> None:
        self.header: Mapping[str, Any] = {}
        self.ended = False
        self._operations: dict[int, Operation] = {}
        self._tables: dict[str, Sequence[Any]] = {}
        self._faults: list[tuple[float, float]] = []

    def take(self, line: Mapping[str, Any]) -> None:
        if "header" in line:
            self.header = line["header"]
        elif "invoke" in line:
            number = line["invoke"]
            if number in self._operations or self.ended:
                raise ValueError(f"call {number} is there twice, or after the end")
            named = {name: line[name] for name in ("process", "round", "kind", "value", "replica")}
            self._operations[number] = Operation(number=number, begin=line["at"], **named)
        elif "fault" in line:
            if line.get("met", True):
                self._faults.append((line["from"], line["to"]))
        elif "table" in line:
            self._tables[line["table"]] = line["rows"]
        elif "end" in line:
            if line["end"] != len(self._operations):
                raise ValueError(f"{len(self._operations)} calls, but {line['end']} were made")
            self.ended = True
        else:
            self._complete(line)

    def _complete(self, line: Mapping[str, Any]) -> None:
        outcome = next(outcome for outcome in Outcome if outcome in line)
        operation = self._operations[line[outcome]]
        if operation.end is not None or line["at"] < operation.begin:
            raise ValueError(f"call {operation.number} ended twice, or before it began")
        rest = {name: line[name] for name in ("status", "request", "result", "error")
                if name in line}  # fmt: skip
        self._operations[operation.number] = replace(
            operation, end=line["at"], outcome=outcome, **rest
        )

    def history(self, *, complete: bool) -> History:
        # Without its end a history may have some tables and lack others.
        tables = self._tables if complete else {}
        operations = tuple(self._operations.values())
        return History(self.header, operations, tables, tuple(self._faults), complete)
