"""Writes that name a consumer's generation: of those that name the same one, one wins.

At first all clients make the same consumer (generation null); then each writes what it has just
read. Each claims another amount, so that it can be seen whose claim is there.
"""

from collections.abc import Iterator
from typing import Any

from harness.consistency.bodies import claim_body
from harness.consistency.client import Call, Client
from harness.consistency.history import History, Operation
from harness.consistency.judge import Violation
from harness.consistency.workloads.base import Round, make_provider, set_inventory

ATTEMPTS = 3
ONE_WINNER = "of claims that name the same consumer generation, one is acknowledged"
LAST = "a consumer has in the end what its last acknowledged claim said"


class ConsumerGeneration:
    name = "consumer-generation"
    promises = (ONE_WINNER, LAST)
    kinds = ("claim",)

    def key(self, operation: Operation) -> Any:
        return "consumer"

    def prepare(self, round_: Round, client: Client) -> None:
        make_provider(round_, client, "host")
        set_inventory(round_, client, "host", {"VCPU": 10_000})

    def act(self, round_: Round, client: Client) -> None:
        consumer, path = round_.name("consumer"), f"/allocations/{round_.uuid('consumer')}"
        generation: int | None = None
        for attempt in range(ATTEMPTS):
            amount = 1 + client.process * ATTEMPTS + attempt
            body = claim_body({round_.uuid("host"): {"VCPU": amount}}, generation)
            client.do(Call("claim", [consumer, generation, amount], "PUT", path, body))
            read = client.do(Call("read", consumer, "GET", path, None, _generation))
            if read.ok:
                generation = read.result

    def finish(self, round_: Round, client: Client) -> None:
        """The database says what is there."""

    def check(self, history: History) -> Iterator[Violation]:
        rows = history.rows("allocations")
        for number, operations in history.prepared.items():
            claims = [claim for claim in operations if claim.kind == "claim" and claim.may_count]
            by_generation: dict[Any, list[Operation]] = {}
            for claim in claims:
                if claim.ok:
                    by_generation.setdefault(claim.value[1], []).append(claim)
            for generation, winners in by_generation.items():
                if len(winners) > 1:
                    what = f"{len(winners)} claims of generation {generation} were acknowledged"
                    yield Violation(ONE_WINNER, number, what, winners)
            if "allocations" not in history.tables or not claims:
                continue
            if all(claim.ok for claim in claims):
                last = max(claims, key=lambda claim: claim.value[1] or 0)
                there = [row[3] for row in rows.get(number, [])]
                if there != [last.value[2]]:
                    what = f"it has {there}, and the last claim was given {last.value[2]}"
                    yield Violation(LAST, number, what, [last])


def _generation(answer: Any) -> Any:
    return answer.get("consumer_generation")
