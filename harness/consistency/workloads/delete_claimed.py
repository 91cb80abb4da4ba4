"""A provider is deleted while it is claimed: one of the two is refused."""

from collections.abc import Iterator
from typing import Any

from harness.consistency.bodies import claim_body
from harness.consistency.client import Call, Client
from harness.consistency.history import History, Operation
from harness.consistency.judge import Violation
from harness.consistency.workloads.base import Round, make_provider, set_inventory

EITHER = "a provider that is deleted has given nothing away"
KEPT = "an acknowledged claim, or deletion, is there in the end"
# Every third client deletes.
DELETES = 3
# The second deletion of a client meets claims that have been acknowledged since.
ATTEMPTS = 2


class DeleteClaimed:
    name = "delete-claimed"
    promises = (EITHER, KEPT)
    kinds = ("claim", "delete")

    def key(self, operation: Operation) -> Any:
        return "host"

    def prepare(self, round_: Round, client: Client) -> None:
        make_provider(round_, client, "host")
        set_inventory(round_, client, "host", {"VCPU": 100})

    def act(self, round_: Round, client: Client) -> None:
        host = round_.uuid("host")
        # Which one comes first is to be different in each round.
        deletes = (client.process + round_.number) % DELETES == 0
        if deletes:
            value = [round_.name("host")]
            for _ in range(ATTEMPTS):
                client.do(Call("delete", value, "DELETE", f"/resource_providers/{host}"))
            return
        consumer = f"c{client.process}"
        path = f"/allocations/{round_.uuid(consumer)}"
        body = claim_body({host: {"VCPU": 1}})
        client.do(Call("claim", [round_.name(consumer)], "PUT", path, body))

    def finish(self, round_: Round, client: Client) -> None:
        """The database says what is there."""

    def check(self, history: History) -> Iterator[Violation]:
        providers, allocations = history.rows("providers"), history.rows("allocations")
        for number, operations in history.prepared.items():
            claims = [call for call in operations if call.kind == "claim" and call.ok]
            deletions = [call for call in operations if call.kind == "delete" and call.ok]
            if claims and deletions:
                what = f"the provider was deleted, and {len(claims)} claims were acknowledged"
                yield Violation(EITHER, number, what, [deletions[0], claims[0]])
            if len(deletions) > 1:
                yield Violation(EITHER, number, "the provider was deleted twice", deletions)
            if not history.tables:
                continue
            if deletions and providers.get(number):
                yield Violation(KEPT, number, "the deleted provider is there", deletions)
            held = {row[0] for row in allocations.get(number, [])}
            for claim in claims:
                if claim.value[0] not in held and not deletions:
                    yield Violation(KEPT, number, f"{claim.value[0]} has nothing", [claim])
