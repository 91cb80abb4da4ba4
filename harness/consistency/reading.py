"""Reads histories: whole, or part by part, since a long one does not fit into memory.

Rounds know nothing of each other, so that each part of a history, of some rounds and the rows that
name their objects, is judged by itself.
"""

import gc
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.consistency.history import (
    MICROSECONDS,
    OUTCOMES,
    REQUEST,
    History,
    Operation,
    Strike,
    round_of,
)
from harness.core.errors import UsageError

# Calls of a part, at least; a part ends where a round does.
PART = 20_000
# Errors of a line that makes no sense.
NONSENSE = (ValueError, LookupError, TypeError, AttributeError)
# Rows by table and round.
Rows = dict[str, dict[int, list[Sequence[Any]]]]


def read(path: Path) -> History:
    """The whole history in a file. Raises UsageError for a file that is none, or was edited."""
    frame = _frame(path)
    operations = [call for calls in _rounds(path, frame, part=None) for call in calls]
    tables = {name: [*_flat(rows)] for name, rows in frame.tables().items()}
    return History(frame.header, operations, tables, frame.strikes, frame.complete)


def parts(path: Path) -> Iterator[History]:
    """A history, part by part. Rows that name no round come with the last part.

    Raises UsageError as ``read`` does.
    """
    frame = _frame(path)
    tables = frame.tables()
    for operations in _rounds(path, frame, PART):
        numbers = {operation.round for operation in operations}
        yield _part(frame, operations, _taken(tables, numbers))
    numbers = {number for rows in tables.values() for number in rows}
    yield _part(frame, (), _taken(tables, numbers))


def _part(
    frame: "_Frame", operations: Sequence[Operation], tables: Mapping[str, Sequence[Any]]
) -> History:
    return History(frame.header, operations, tables, frame.strikes, frame.complete)


def _taken(tables: Rows, numbers: set[int]) -> dict[str, list[Sequence[Any]]]:
    return {
        name: [row for number in numbers for row in rows.pop(number, ())]
        for name, rows in tables.items()
    }


def _flat(rows: Mapping[int, Sequence[Any]]) -> Iterator[Any]:
    return (row for of_round in rows.values() for row in of_round)


class _Frame:
    """Everything of a history but its calls."""

    def __init__(self) -> None:
        self.header: Mapping[str, Any] = {}
        self.strikes: list[Strike] = []
        self.errors: list[str] = []
        self.complete = False
        self.count = 0
        self._tables: Rows = {}
        # Equal texts of rows, each once.
        self._texts: dict[str, str] = {}

    def take(self, line: Mapping[str, Any]) -> None:
        if "header" in line:
            self.header = line["header"]
        elif "fault" in line:
            if line.get("met", True):
                moments = (line[name] / MICROSECONDS for name in ("from", "heal", "to"))
                self.strikes.append(Strike(line["fault"], line["of"], *moments))
        elif "error" in line:
            self.errors.append(line["error"])
        elif "table" in line:
            rows = self._tables.setdefault(line["table"], {})
            for row in line["rows"]:
                kept = tuple(map(self._shared, row))
                rows.setdefault(round_of(kept), []).append(kept)
        else:
            self.count, self.complete = line["end"], True

    def _shared(self, value: Any) -> Any:
        return self._texts.setdefault(value, value) if isinstance(value, str) else value

    def tables(self) -> Rows:
        """The rows; without its end a history may have some tables and lack others: none."""
        self._texts.clear()
        return self._tables if self.complete else {}


def _frame(path: Path) -> _Frame:
    frame = _Frame()
    decode = json.JSONDecoder().decode
    for line in _lines(path):
        if line.text[0] == "[":
            continue
        with _blamed(path, line):
            frame.take(decode(line.text))
    if not frame.header:
        raise UsageError(f"{path} has no header: it is no history.", "Name a history.")
    return frame


class _Line:
    """A line of a file; one object serves for all of them."""

    def __init__(self) -> None:
        self.number = 0
        self.text = ""


def _lines(path: Path) -> Iterator[_Line]:
    """The whole lines: a killed process may have written half of its last one."""
    line = _Line()
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for text in file:
                line.number += 1
                line.text = text
                if text.endswith("\n"):
                    yield line
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", "Name a history.") from error


@contextmanager
def _blamed(path: Path, line: _Line) -> Iterator[None]:
    """Name the line of which something makes no sense."""
    try:
        yield
    except NONSENSE as error:
        raise _no_line(path, line, error) from error


def _no_line(path: Path, line: _Line, error: Exception) -> UsageError:
    return UsageError(
        f"{path}, line {line.number} is no line of a history: {error!r}.",
        "The file was edited, or is of another kind or version: it cannot be judged.",
    )


def _rounds(path: Path, frame: _Frame, part: int | None) -> Iterator[list[Operation]]:
    """The calls in the order in which they began, in parts that end where a round does."""
    calls = _Calls(frame.errors)
    decode = json.JSONDecoder().decode
    line = _Line()
    enabled = gc.isenabled()
    # Looking for cycles takes longer with each of many objects, and there are none.
    gc.disable()
    try:
        for line in _lines(path):
            if line.text[0] != "[":
                continue
            values = decode(line.text)
            if isinstance(values[1], str):
                calls.complete(*values)
                continue
            if part is not None and calls.may_end(values, part):
                yield calls.taken()
            calls.begin(values)
        if frame.complete and calls.count != frame.count:
            raise ValueError(f"{calls.count} calls, but {frame.count} were made")
    except NONSENSE as error:
        raise _no_line(path, line, error) from error
    finally:
        if enabled:
            gc.enable()
    yield calls.taken()


class _Calls:
    """Calls as their lines come: those that have ended, and those under way."""

    def __init__(self, errors: Sequence[str]) -> None:
        self.count = 0
        self._errors = errors
        self._first = 1
        self._operations: list[Operation | None] = []
        self._begun: dict[int, Sequence[Any]] = {}
        self._round: int | None = None

    def may_end(self, values: Sequence[Any], part: int) -> bool:
        """Whether a part may end before the call that begins with these values."""
        enough = len(self._operations) >= part and not self._begun
        return enough and values[2] != self._round

    def begin(self, values: Sequence[Any]) -> None:
        number, _, self._round, _, _, _, _ = values
        self.count += 1
        if number != self.count:
            raise ValueError(f"call {number} is there twice, or out of order")
        self._operations.append(None)
        self._begun[number] = values

    def complete(
        self,
        number: int,
        outcome: str,
        at: int,
        status: int | None = None,
        request: str = "",
        result: Any = None,
        error: str | int = "",
    ) -> None:
        _, process, round_, kind, begin, value, replica = self._begun.pop(number)
        if at < begin:
            raise ValueError(f"call {number} ended before it began")
        self._operations[number - self._first] = Operation(
            number,
            process,
            round_,
            sys.intern(kind),
            begin / MICROSECONDS,
            value,
            replica,
            at / MICROSECONDS,
            OUTCOMES[outcome],
            status,
            f"{REQUEST}{request}" if request else "",
            result,
            self._errors[error] if isinstance(error, int) else error,
        )

    def taken(self) -> list[Operation]:
        """The calls so far, which are then forgotten."""
        for number, process, round_, kind, begin, value, replica in self._begun.values():
            self._operations[number - self._first] = Operation(
                number, process, round_, kind, begin / MICROSECONDS, value, replica
            )
        operations = [operation for operation in self._operations if operation is not None]
        self._operations, self._begun, self._first = [], {}, self.count + 1
        return operations
