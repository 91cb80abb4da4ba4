"""Moves between consumers: whatever moves, the sum that a host gives away stays the same.

Four consumers share 8 CPUs of a host. A move is one POST /allocations that takes everything of one
consumer and gives it to another, with the generations of both. Clients read the host's usage
through the next replica meanwhile.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from harness.consistency.bodies import claim_body
from harness.consistency.client import Call, Client
from harness.consistency.history import History, Operation
from harness.consistency.judge import Violation
from harness.consistency.workloads.base import Round, make_provider, set_inventory

CONSUMERS, EACH, ATTEMPTS = 4, 2, 3
CONSERVED = "a move between consumers conserves the sum, at every read"
SUM_KEPT = "a move between consumers conserves the sum in the end"


class Moves:
    name = "moves"
    promises = (CONSERVED, SUM_KEPT)
    kinds = ("move", "read")

    def key(self, operation: Operation) -> Any:
        return "host"

    def prepare(self, round_: Round, client: Client) -> None:
        make_provider(round_, client, "host")
        set_inventory(round_, client, "host", {"VCPU": 10})
        for number in range(CONSUMERS):
            body = claim_body({round_.uuid("host"): {"VCPU": EACH}})
            path = f"/allocations/{round_.uuid(f'c{number}')}"
            client.do(Call("prepare claim", round_.name(f"c{number}"), "PUT", path, body))

    def act(self, round_: Round, client: Client) -> None:
        choice = round_.random(client.process)
        for _ in range(ATTEMPTS):
            source, target = choice.sample([f"c{number}" for number in range(CONSUMERS)], 2)
            has, has_target = (self._has(round_, client, name) for name in (source, target))
            if has and has.get("allocations") and has_target is not None:
                self._move(round_, client, source, target, has, has_target)
            path = f"/resource_providers/{round_.uuid('host')}/usages"
            following = client.replica % round_.replicas + 1
            client.do(Call("read", round_.name("host"), "GET", path, None, _used), following)

    def _has(self, round_: Round, client: Client, name: str) -> Any:
        path = f"/allocations/{round_.uuid(name)}"
        return client.do(
            Call("read consumer", round_.name(name), "GET", path, None, lambda answer: answer)
        ).result

    def _move(
        self, round_: Round, client: Client, source: str, target: str, has: Any, gets: Any
    ) -> None:
        amount = _sum(has) + _sum(gets)
        given = claim_body({round_.uuid("host"): {"VCPU": amount}}, gets.get("consumer_generation"))
        body = {
            round_.uuid(source): claim_body({}, has.get("consumer_generation")),
            round_.uuid(target): given,
        }
        value = [round_.name(source), round_.name(target), amount, gets.get("consumer_generation")]
        client.do(Call("move", value, "POST", "/allocations", body))

    def finish(self, round_: Round, client: Client) -> None:
        """The database says what is there."""

    def check(self, history: History) -> Iterator[Violation]:
        total = CONSUMERS * EACH
        rows = history.rows("allocations")
        for number, operations in history.prepared.items():
            if _made_again(operations):
                continue
            moves = [operation for operation in operations if operation.kind == "move"]
            for read in operations:
                if read.kind == "read" and read.ok and read.result != total:
                    met = [move for move in moves if move.overlaps(read) and move.may_count]
                    what = f"{read.result} CPUs are used, not {total}"
                    yield Violation(CONSERVED, number, what, [read, *met])
            used = sum(row[3] for row in rows.get(number, []))
            if "allocations" in history.tables and used != total:
                what = f"{used} CPUs are used in the database, not {total}"
                yield Violation(SUM_KEPT, number, what, [move for move in moves if move.may_count])


def _made_again(operations: Sequence[Operation]) -> bool:
    """Whether a consumer may have been made again between a move's read of it and the move.

    The generation of a consumer that was emptied begins anew, so that a stale one may fit again:
    the sum then changes, and no promise is broken.
    """
    moves = [move for move in operations if move.kind == "move" and move.may_count]
    makers = [move for move in moves if move.value[3] is None]
    reads: dict[int, list[Operation]] = {}
    for operation in operations:
        if operation.kind == "read consumer":
            reads.setdefault(operation.process, []).append(operation)
        elif operation.kind == "move" and operation.may_count:
            # The move was made of the client's last two reads.
            begin = min(read.begin for read in reads.get(operation.process, [operation])[-2:])
            for maker in makers:
                ended = maker.end is not None and maker.end < begin
                begun = operation.end is None or maker.begin < operation.end
                concerns = maker.value[1] in operation.value[:2]
                if maker is not operation and concerns and begun and not ended:
                    return True
    return False


def _used(answer: Any) -> Any:
    return answer["usages"].get("VCPU", 0)


def _sum(answer: Any) -> int:
    return sum(given["resources"]["VCPU"] for given in answer["allocations"].values())
