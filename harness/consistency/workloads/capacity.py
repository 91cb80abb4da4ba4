"""Claims against capacity: every client claims CPUs of one host of ten, until it is refused.

Claims are PUT and POST /allocations by turns of chance, of one or two CPUs, each by a consumer of
its own. The database says in the end which of them are there.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from harness.consistency.bodies import claim_body
from harness.consistency.client import Call, Client
from harness.consistency.history import History, Operation
from harness.consistency.judge import Violation
from harness.consistency.workloads.base import Round, make_provider, set_inventory

CAPACITY = 10
# Claims that one client makes in a round, at most.
ATTEMPTS = 5
WITHIN = "capacity: used must not exceed (total - reserved) x allocation_ratio"
KEPT = "an acknowledged claim is there in the end"
NOTHING_LEFT = "a refused claim leaves nothing behind"


class Capacity:
    name = "capacity"
    promises = (WITHIN, KEPT, NOTHING_LEFT)
    kinds = ("claim",)

    def key(self, operation: Operation) -> Any:
        return "host"

    def prepare(self, round_: Round, client: Client) -> None:
        make_provider(round_, client, "host")
        set_inventory(round_, client, "host", {"VCPU": CAPACITY})

    def act(self, round_: Round, client: Client) -> None:
        choice = round_.random(client.process)
        for attempt in range(ATTEMPTS):
            consumer = f"c{client.process}-{attempt}"
            amount = choice.choice((1, 1, 1, 2))
            body = claim_body({round_.uuid("host"): {"VCPU": amount}})
            value = [round_.name(consumer), amount]
            path, method = "/allocations", "POST"
            if choice.random() < 0.5:
                path, method = f"/allocations/{round_.uuid(consumer)}", "PUT"
            else:
                body = {round_.uuid(consumer): body}
            claim = client.do(Call("claim", value, method, path, body))
            if claim.status == 409 and "concurrent" not in claim.error:
                return

    def finish(self, round_: Round, client: Client) -> None:
        path = f"/resource_providers/{round_.uuid('host')}/usages"
        client.do(
            Call("read", round_.name("host"), "GET", path, None, lambda a: a["usages"].get("VCPU"))
        )

    def check(self, history: History) -> Iterator[Violation]:
        rows = history.rows("allocations")
        for number, operations in history.prepared.items():
            claims = [operation for operation in operations if operation.kind == "claim"]
            yield from _over(number, claims, operations)
            if "allocations" not in history.tables:
                continue
            there: dict[str, int] = {}
            for consumer, provider, _, used in rows.get(number, ()):
                if str(provider).endswith("/host"):
                    there[consumer] = there.get(consumer, 0) + used
            if sum(there.values()) > CAPACITY:
                what = f"{sum(there.values())} of {CAPACITY} are used in the database"
                yield Violation(WITHIN, number, what, [c for c in claims if c.value[0] in there])
            for claim in claims:
                consumer, amount = claim.value
                if claim.ok and there.get(consumer) != amount:
                    what = f"{consumer} was given {amount}, and has {there.get(consumer, 0)}"
                    yield Violation(KEPT, number, what, [claim])
                elif not claim.may_count and consumer in there:
                    what = f"{consumer} was refused, and has {there[consumer]}"
                    yield Violation(NOTHING_LEFT, number, what, [claim])


def _over(
    number: int, claims: Sequence[Operation], operations: Sequence[Operation]
) -> Iterator[Violation]:
    """More was acknowledged than there is, or a read shows more than there is."""
    acknowledged = [claim for claim in claims if claim.ok]
    given = sum(claim.value[1] for claim in acknowledged)
    if given > CAPACITY:
        what = f"{given} of {CAPACITY} were given away"
        yield Violation(WITHIN, number, what, _fewest(acknowledged))
    for read in operations:
        if read.kind == "read" and read.ok and (read.result or 0) > CAPACITY:
            yield Violation(WITHIN, number, f"{read.result} of {CAPACITY} are used", [read])


def _fewest(claims: Sequence[Operation]) -> list[Operation]:
    """The fewest claims that exceed the capacity together, the largest ones first."""
    fewest: list[Operation] = []
    for claim in sorted(claims, key=lambda claim: -claim.value[1]):
        fewest.append(claim)
        if sum(claim.value[1] for claim in fewest) > CAPACITY:
            break
    return fewest
