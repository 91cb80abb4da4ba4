"""Races: pairs of calls that meet on an object, at the same moment, through different replicas.

Two clients make a race, with objects of its own; several races run side by side. Every pair of
``races.calls`` gets its turn, in an order that the seed decides.
"""

import random
import threading
from collections.abc import Iterator
from typing import Any

from harness.consistency.client import Call, Client
from harness.consistency.history import History, Operation
from harness.consistency.judge import Violation
from harness.consistency.races.calls import PAIRS, PREPARED, Objects, RacedCall
from harness.consistency.races.judge import Anomaly, judge, races
from harness.consistency.workloads.base import Round

PROMISES = {
    Anomaly.TWO_WINNERS: "of two calls that exclude each other, one is acknowledged",
    Anomaly.LOST: "what both calls were acknowledged is there",
    Anomaly.APPLIED: "what was refused is not there",
    Anomaly.NO_ORDER: "what is there is what one order of the calls leaves",
    Anomaly.CLASS_LOST: "a resource class that was acknowledged is there",
}
# Time that a client waits for its partner to prepare. Seconds.
PATIENCE = 120.0


class Races:
    name = "races"
    promises = tuple(PROMISES.values())
    kinds = ("race",)

    def __init__(self) -> None:
        self._meetings: dict[int, threading.Barrier] = {}

    def key(self, operation: Operation) -> Any:
        """The race."""
        return operation.value[0]

    def prepare(self, round_: Round, client: Client) -> None:
        groups = round_.clients // 2
        self._meetings = {group: threading.Barrier(2) for group in range(groups)}

    def act(self, round_: Round, client: Client) -> None:
        group, second = divmod(client.process, 2)
        if group not in self._meetings:
            return
        calls = list(pair(round_, group))
        # A coin decides which client makes which call.
        if random.Random(f"{round_.seed}/{round_.number}/{group}").random() < 0.5:  # noqa: S311
            calls.reverse()
        of = objects(round_, group)
        prefix = round_.name(str(group))
        if not second:
            for prepared in PREPARED:
                client.do(_as_call(f"prepare {prepared.name}", prepared, prefix, of))
        self._meetings[group].wait(PATIENCE)
        client.do(_as_call("race", calls[second], prefix, of))

    def finish(self, round_: Round, client: Client) -> None:
        """The database says what is there."""

    def check(self, history: History) -> Iterator[Violation]:
        for race in races(history):
            anomaly = judge(race)
            if anomaly is not None:
                first, second = race.names
                what = f"{anomaly}: {first} | {second}"
                yield Violation(PROMISES[anomaly], race.round, what, race.operations)


def pair(round_: Round, group: int) -> tuple[RacedCall, RacedCall]:
    """The pair of calls that a group races in a round."""
    turn = round_.number * (round_.clients // 2) + group
    order = list(PAIRS)
    # Another order each time that all have had their turn: other pairs are neighbours then.
    random.Random(f"{round_.seed}/{turn // len(PAIRS)}").shuffle(order)  # noqa: S311 (no secret)
    return order[turn % len(PAIRS)]


def objects(round_: Round, group: int) -> Objects:
    """The objects of one race."""
    return Objects(
        lambda name: round_.uuid(f"{group}-{name}"),
        lambda name: f"CUSTOM_{round_.names.tag}_R{round_.number}_{group}{name}",
    )


def _as_call(kind: str, raced: RacedCall, prefix: str, of: Objects) -> Call:
    return Call(kind, [prefix, raced.name], raced.method, raced.path(of), raced.body(of))
