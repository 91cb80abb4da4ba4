"""Claims that must be refused, beside others that are not: a failed write leaves no consumer."""

from collections.abc import Iterator
from typing import Any

from harness.consistency.bodies import claim_body
from harness.consistency.client import Call, Client
from harness.consistency.history import History, Operation
from harness.consistency.judge import Violation
from harness.consistency.workloads.base import Round, make_provider, set_inventory

NO_CONSUMER = "a refused claim leaves no consumer behind"
KEPT = "an acknowledged claim has its consumer in the end"


class FailedClaims:
    name = "failed-claims"
    promises = (NO_CONSUMER, KEPT)
    kinds = ("claim",)

    def key(self, operation: Operation) -> Any:
        return "nowhere" if operation.kind == "claim of no provider" else "host"

    def prepare(self, round_: Round, client: Client) -> None:
        make_provider(round_, client, "host")
        set_inventory(round_, client, "host", {"VCPU": 4})

    def act(self, round_: Round, client: Client) -> None:
        host, number = round_.uuid("host"), client.process
        # Claims by their kind, which says why all but the first must be refused.
        wanted = {
            "claim": {host: {"VCPU": 1}},
            "claim too much": {host: {"VCPU": 5}},
            "claim of no inventory": {host: {"DISK_GB": 1}},
            "claim of no provider": {round_.uuid("nowhere"): {"VCPU": 1}},
            "claim by a stale generation": {host: {"VCPU": 1}},
        }
        choice = round_.random(number)
        for kind in choice.sample([*wanted], len(wanted)):
            consumer = f"{kind.replace(' ', '-')}-{number}"
            generation = 7 if "stale" in kind else None
            body = claim_body(wanted[kind], generation)
            path = f"/allocations/{round_.uuid(consumer)}"
            client.do(Call(kind, [round_.name(consumer), kind], "PUT", path, body))

    def finish(self, round_: Round, client: Client) -> None:
        """The database says what is there."""

    def check(self, history: History) -> Iterator[Violation]:
        if "consumers" not in history.tables:
            return
        consumers = history.rows("consumers")
        for number, operations in history.prepared.items():
            there = {row[0] for row in consumers.get(number, [])}
            for claim in operations:
                if not claim.kind.startswith("claim"):
                    continue
                if not claim.may_count and claim.value[0] in there:
                    what = f"after {claim.status} to a {claim.kind} its consumer is there"
                    yield Violation(NO_CONSUMER, number, what, [claim])
                elif claim.ok and claim.value[0] not in there:
                    yield Violation(KEPT, number, f"{claim.value[0]} is not there", [claim])
