"""Makes a violation small: fewer clients in another run, then the fewest calls of one round.

What is left is a history of its own, which is judged as any other, and shows the same promise
broken.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.consistency import check, reading
from harness.consistency.check import Checked
from harness.consistency.history import History, Operation, Writer
from harness.consistency.judge import Violation
from harness.core.errors import UsageError

FEWEST_CLIENTS = 2
# Judgements of histories with a call less, at most.
TRIES = 400


def violation_of(checked: Checked) -> Violation | None:
    """The first violation of a round that is not known."""
    violations = (each for verdict in checked.report.verdicts for each in verdict.violations)
    return next((each for each in violations if not each.known and each.round >= 0), None)


def fewer_clients(
    first: Checked, clients: int, run: Callable[[int], Checked]
) -> tuple[Checked, int]:
    """Run again with half of the clients, as long as the same promise is broken.

    Gives the last check that broke it, and its number of clients.
    """
    violation, smallest = violation_of(first), first
    while violation is not None and clients > FEWEST_CLIENTS:
        fewer = max(clients // 2, FEWEST_CLIENTS)
        again = run(fewer)
        shown = violation_of(again)
        if shown is None or shown.promise != violation.promise:
            break
        smallest, clients = again, fewer
    return smallest, clients


def fewest_calls(checked: Checked, path: Path) -> Checked:
    """Write a history of the fewest calls of one round that break the same promise; judge it.

    Raises UsageError for a check that has no violation.
    """
    violation = violation_of(checked)
    if violation is None:
        raise UsageError(
            f"{checked.path} breaks no promise in a way that is not known: nothing can be shrunk.",
            "Judge it with --strict to shrink what is known.",
        )
    whole = reading.read(checked.path)
    calls = whole.rounds.get(violation.round, [])
    tables = {name: whole.rows(name).get(violation.round, []) for name in whole.tables}
    tries, position = 0, 0
    while position < len(calls) and tries < TRIES:
        without = [*calls[:position], *calls[position + 1 :]]
        tries += 1
        if _breaks(whole, without, tables, violation, path):
            calls = without
        else:
            position += 1
    _write(whole, calls, tables, path)
    return check.judged(path, ())


def _breaks(
    whole: History,
    calls: Sequence[Operation],
    tables: dict[str, list[Sequence[Any]]],
    violation: Violation,
    path: Path,
) -> bool:
    """Whether these calls alone break the same promise in the same words."""
    _write(whole, calls, tables, path)
    verdicts = check.judged(path, ()).report.verdicts
    broken = (each for verdict in verdicts for each in verdict.violations)
    return any(each.promise == violation.promise for each in broken if _alike(each, violation))


def _alike(first: Violation, second: Violation) -> bool:
    """Whether two violations say the same, but for numbers."""
    first_words, second_words = (
        [word for word in violation.what.split() if not word.isdigit()]
        for violation in (first, second)
    )
    return first_words == second_words


def _write(
    whole: History,
    calls: Sequence[Operation],
    tables: dict[str, list[Sequence[Any]]],
    path: Path,
) -> None:
    path.unlink(missing_ok=True)
    writer = Writer(path, whole.header, 0.0)
    numbers: dict[int, int] = {}
    moments = [(call.begin, 0, call) for call in calls]
    moments += [(call.end, 1, call) for call in calls if call.end is not None]
    for at, ends, call in sorted(moments, key=lambda moment: moment[:2]):
        if ends:
            writer.complete(replace(call, number=numbers[call.number]), at)
        else:
            numbers[call.number] = writer.invoke(
                call.process, call.round, call.kind, call.value, call.replica, at
            )
    for strike in whole.strikes:
        writer.strike(strike)
    for name, rows in tables.items():
        writer.table(name, rows)
    writer.close(complete=whole.complete)
