"""A reshape moves inventory and claims from a root to its child: readers see all of it or nothing.

Every second client posts the same reshape; the others read the consumer's allocations.
"""

from collections.abc import Iterator
from typing import Any

from harness.consistency.bodies import claim_body
from harness.consistency.client import Call, Client
from harness.consistency.history import History, Operation
from harness.consistency.judge import Violation
from harness.consistency.workloads.base import Round, make_provider, set_inventory

USED, READS, RESHAPES = 4, 4, 2
# Reshapes that one client posts; all of a round name the same generations.
ATTEMPTS = 3
ATOMIC = "a reshape is seen as a whole: before or after, never between"
ONE_WINNER = "of reshapes that name the same generations, one is acknowledged"
DONE = "an acknowledged reshape is there in the end"


class Reshape:
    name = "reshape"
    promises = (ATOMIC, ONE_WINNER, DONE)
    kinds = ("reshape", "read")

    def key(self, operation: Operation) -> Any:
        return "root"

    def prepare(self, round_: Round, client: Client) -> None:
        make_provider(round_, client, "root")
        make_provider(round_, client, "child", "root")
        set_inventory(round_, client, "root", {"VCPU": 10, "MEMORY_MB": 100})
        body = claim_body({round_.uuid("root"): {"VCPU": USED, "MEMORY_MB": USED}})
        path = f"/allocations/{round_.uuid('c')}"
        client.do(Call("prepare claim", round_.name("c"), "PUT", path, body))

    def act(self, round_: Round, client: Client) -> None:
        if client.process % RESHAPES == 0:
            body = _reshape(round_)
            for _ in range(ATTEMPTS):
                client.do(Call("reshape", [round_.name("root")], "POST", "/reshaper", body))
            return
        path = f"/allocations/{round_.uuid('c')}"
        for _ in range(READS):
            client.do(Call("read", round_.name("c"), "GET", path, None, round_.named_claims))

    def finish(self, round_: Round, client: Client) -> None:
        """The database says what is there."""

    def check(self, history: History) -> Iterator[Violation]:
        allocations = history.rows("allocations")
        for number, operations in history.prepared.items():
            before = {f"r{number}/root": {"VCPU": USED, "MEMORY_MB": USED}}
            after = {
                f"r{number}/root": {"MEMORY_MB": USED},
                f"r{number}/child": {"VCPU": USED},
            }
            reshapes = [operation for operation in operations if operation.kind == "reshape"]
            winners = [reshape for reshape in reshapes if reshape.ok]
            for read in operations:
                if read.kind == "read" and read.ok and read.result not in (before, after):
                    yield Violation(ATOMIC, number, f"a read shows {read.result}", [read, *winners])
            if len(winners) > 1:
                yield Violation(ONE_WINNER, number, f"{len(winners)} reshapes won", winners)
            if not history.tables:
                continue
            there: dict[str, dict[str, int]] = {}
            for _, provider, class_, used in allocations.get(number, []):
                there.setdefault(provider, {})[class_] = used
            possible = [after] if winners else [before, after]
            if not any(reshape.may_count for reshape in reshapes):
                possible = [before]
            if there not in possible:
                yield Violation(DONE, number, f"the database has {there}", winners or reshapes)


def _reshape(round_: Round) -> dict[str, Any]:
    """Body that moves VCPU to the child; the root is at generation 2: an inventory and a claim."""
    root, child = round_.uuid("root"), round_.uuid("child")
    claims = {root: {"MEMORY_MB": USED}, child: {"VCPU": USED}}
    return {
        "inventories": {
            root: {
                "resource_provider_generation": 2,
                "inventories": {"MEMORY_MB": {"total": 100}},
            },
            child: {"resource_provider_generation": 0, "inventories": {"VCPU": {"total": 10}}},
        },
        "allocations": {round_.uuid("c"): claim_body(claims, 1)},
    }
