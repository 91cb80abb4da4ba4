"""What must hold in the database after every workload: no row refers to one that is gone."""

from collections.abc import Iterator, Sequence
from typing import Any

from harness.consistency.history import History
from harness.consistency.judge import Violation

INTACT = "no row refers to one that is gone, and every tree is one"

# Columns of TABLES["providers"] (consistency/cluster).
UUID, PARENT, ROOT, PARENT_GONE, ROOT_GONE = 0, 3, 4, 5, 6


def check(history: History) -> Iterator[Violation]:
    """The dangling rows and the trees that cannot be."""
    yield from _dangling(history)
    for number, providers in history.rows("providers").items():
        yield from _trees(number, providers)


def _dangling(history: History) -> Iterator[Violation]:
    consumers = {row[0] for row in history.tables.get("consumers", ())}
    for number, rows in history.rows("allocations").items():
        for consumer, provider, class_, used in rows:
            if provider is None:
                what = f"{consumer} has {used} {class_} of a provider that is gone"
                yield Violation(INTACT, number, what, _about(history, number, consumer))
            if consumer not in consumers:
                what = f"there is an allocation of {consumer}, and no such consumer"
                yield Violation(INTACT, number, what, _about(history, number, consumer))
    for table in ("inventories", "traits", "aggregates"):
        for row in history.tables.get(table, ()):
            if row[0] is None or row[1] is None:
                yield Violation(INTACT, -1, f"a row of {table} refers to nothing: {row}")


def _trees(number: int, providers: Sequence[Sequence[Any]]) -> Iterator[Violation]:
    by_name = {row[UUID]: row for row in providers}
    for row in providers:
        name, parent, root = row[UUID], row[PARENT], row[ROOT]
        if row[PARENT_GONE] or row[ROOT_GONE]:
            yield Violation(INTACT, number, f"the parent or the root of {name} is gone")
        elif parent is None and root != name:
            yield Violation(INTACT, number, f"{name} has no parent, and the root {root}")
        elif parent in by_name and by_name[parent][ROOT] != root:
            what = f"{name} has the root {root}, its parent {parent} has {by_name[parent][ROOT]}"
            yield Violation(INTACT, number, what)
        if _in_a_circle(name, by_name):
            yield Violation(INTACT, number, f"{name} is its own ancestor")


def _in_a_circle(name: str, providers: dict[Any, Sequence[Any]]) -> bool:
    seen = {name}
    while name in providers and providers[name][PARENT] is not None:
        name = providers[name][PARENT]
        if name in seen:
            return True
        seen.add(name)
    return False


def _about(history: History, number: int, name: str) -> list[Any]:
    """The operations of a round whose value names an object."""
    return [
        operation
        for operation in history.rounds.get(number, ())
        if isinstance(operation.value, list) and name in operation.value
    ]
