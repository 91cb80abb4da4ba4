"""Judges a race: is there an order of its calls that explains the answers and what is there?

Every acknowledged call must be part of the order, and the model must accept it there; a refused
call must not be part of it; a call of unknown outcome may be.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.consistency.history import History, Operation
from harness.consistency.races.calls import BY_NAME, prepared

# Row of a race's object: the round, the race in it, and the object.
OBJECT = re.compile(r"r(\d+)/(\d+)-(\w+)")
CUSTOM = re.compile(r"CUSTOM_[0-9A-F]+_R(\d+)_(\d+)([A-Z])")

World = Mapping[str, Any]
# The call after which the class C may be gone.
DELETION = "delete class C"


class Anomaly(StrEnum):
    """How a race broke its promise."""

    TWO_WINNERS = "two winners"
    LOST = "acknowledged and lost"
    APPLIED = "refused and applied"
    NO_ORDER = "a state that no order explains"
    CLASS_LOST = "a class that was acknowledged before the race is gone"


@dataclass(frozen=True, slots=True)
class Race:
    """The calls of a race, in the order in which they began, and what was there afterwards."""

    round: int
    group: int
    operations: Sequence[Operation]
    world: World | None

    @property
    def met(self) -> bool:
        """Whether the calls were under way at one moment."""
        first, second = self.operations
        return first.overlaps(second)

    @property
    def lost_class(self) -> bool:
        """Whether the class C is gone, which was acknowledged before the race, and not deleted."""
        if self.world is None or "C" in self.world["classes"]:
            return False
        return not any(call.may_count and call.value[1] == DELETION for call in self.operations)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(operation.value[1] for operation in self.operations)


def races(history: History) -> Iterator[Race]:
    """The races of a history whose preparation succeeded."""
    worlds = _worlds(history)
    for number, operations in history.rounds.items():
        groups: dict[int, list[Operation]] = {}
        for operation in operations:
            match = OBJECT.match(f"{operation.value[0]}-x")
            if match:
                groups.setdefault(int(match[2]), []).append(operation)
        for group, calls in groups.items():
            raced = [call for call in calls if call.kind == "race"]
            if len(raced) == 2 and all(call.ok for call in calls if call.kind != "race"):
                world = worlds.get((number, group)) if history.tables else None
                yield Race(number, group, raced, world)


def judge(race: Race) -> Anomaly | None:
    """The anomaly of a race; None where an order of its calls explains it.

    Without a world the answers alone are judged.
    """
    if race.lost_class:
        return Anomaly.CLASS_LOST
    acknowledged = [call for call in race.operations if call.ok]
    unknown = [call for call in race.operations if not call.ok and call.may_count]
    refused = [call for call in race.operations if not call.may_count]
    possible = list(_outcomes(acknowledged, unknown))
    if not possible:
        return Anomaly.TWO_WINNERS if len(acknowledged) > 1 else Anomaly.NO_ORDER
    if race.world is None or race.world in possible:
        return None
    fewer = itertools.chain.from_iterable(
        _outcomes([call for call in acknowledged if call is not lost], unknown)
        for lost in acknowledged
    )
    if race.world in list(fewer):
        return Anomaly.LOST
    if race.world in list(_outcomes(acknowledged, [*unknown, *refused])):
        return Anomaly.APPLIED
    return Anomaly.NO_ORDER


def _outcomes(certain: Iterable[Operation], perhaps: Sequence[Operation]) -> Iterator[World]:
    """Worlds that these calls can leave, in any order that the model accepts."""
    certain = list(certain)
    for count in range(len(perhaps) + 1):
        for some in itertools.combinations(perhaps, count):
            for order in itertools.permutations([*certain, *some]):
                # An answer that came before the other call began settles the order.
                if any(_after(first, second) for first, second in itertools.pairwise(order)):
                    continue
                state = prepared()
                if all(BY_NAME[call.value[1]].apply(state) for call in order):
                    yield state.shown()


def _after(first: Operation, second: Operation) -> bool:
    return second.end is not None and second.end < first.begin


def _worlds(history: History) -> dict[tuple[int, int], dict[str, Any]]:
    """The rows of the database by race, in the form of ``State.shown``."""
    worlds: dict[tuple[int, int], dict[str, Any]] = {}

    def world(key: tuple[int, int]) -> dict[str, Any]:
        empty: dict[str, Any] = {name: set() for name in ("consumers", "traits", "classes")}
        return worlds.setdefault(key, {"providers": {}, "claims": {}, **empty})

    for uuid, name, _, parent, *_ in history.tables.get("providers", ()):
        key, short = _object(uuid)
        if key:
            label = str(name).partition("-")[0]
            world(key)["providers"][short] = [label, _object(parent)[1], {}, set(), set()]
    for uuid, class_, total, *_ in history.tables.get("inventories", ()):
        key, short = _object(uuid)
        if key:
            world(key)["providers"][short][2][_plain(class_)] = total
    for place, table in ((3, "traits"), (4, "aggregates")):
        for uuid, value in history.tables.get(table, ()):
            key, short = _object(uuid)
            if key:
                world(key)["providers"][short][place].add(_object(value)[1] or _plain(value))
    for consumer, provider, class_, used in history.tables.get("allocations", ()):
        key, short = _object(consumer)
        if key:
            claims = world(key)["claims"].setdefault(short, {})
            claims[_object(provider)[1], _plain(class_)] = used
    for uuid, _ in history.tables.get("consumers", ()):
        key, short = _object(uuid)
        if key:
            world(key)["consumers"].add(short)
    for kind, table in (("traits", "custom traits"), ("classes", "custom classes")):
        for name, *_ in history.tables.get(table, ()):
            match = CUSTOM.fullmatch(str(name))
            if match:
                world((int(match[1]), int(match[2])))[kind].add(match[3])
    return worlds


def _object(name: Any) -> tuple[tuple[int, int] | None, str | None]:
    """Race and short name of an object; None for the objects of others."""
    match = OBJECT.fullmatch(str(name))
    return ((int(match[1]), int(match[2])), match[3]) if match else (None, None)


def _plain(name: Any) -> str:
    match = CUSTOM.fullmatch(str(name))
    return match[3] if match else str(name)
