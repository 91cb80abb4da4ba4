"""Histories written by hand: short words for their operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.consistency.counts import LEAST_MET
from harness.consistency.history import History, Operation, Outcome, Strike


def op(
    kind: str,
    value: Any = None,
    outcome: str = "ok",
    at: tuple[float, float | None] = (0.0, 1.0),
    **rest: Any,
) -> Operation:
    """An operation of round 0; its number and process are set by ``history``."""
    status = {"ok": 200, "fail": 409, "info": None}[outcome]
    values = {"status": status, "process": -1, "round": 0, "number": 0, **rest}
    return Operation(
        kind=kind, value=value, outcome=Outcome(outcome), begin=at[0], end=at[1], **values
    )


def history(
    *operations: Operation,
    tables: dict[str, Sequence[Any]] | None = None,
    strikes: Sequence[Strike] = (),
    complete: bool = True,
    **header: Any,
) -> History:
    """A history of these operations, each of a process of its own unless it names one."""
    numbered = [
        replace(
            operation,
            number=number,
            process=number if operation.process < 0 else operation.process,
        )
        for number, operation in enumerate(operations, 1)
    ]
    return History({"workload": "any", **header}, tuple(numbered), tables or {}, strikes, complete)


def rounds(*operations: Operation, number: int = LEAST_MET) -> list[Operation]:
    """So many rounds of these operations: by default enough for a decision."""
    return [replace(one, round=index) for index in range(number) for one in operations]
