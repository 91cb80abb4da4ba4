"""Each client writes to a provider of its own, and reads it back through the next replica."""

from collections.abc import Iterator
from typing import Any

from harness.consistency.client import Call, Client
from harness.consistency.history import History, Operation
from harness.consistency.judge import Violation
from harness.consistency.workloads.base import Round, make_provider

WRITES = 5
SEEN = "what was acknowledged is seen through every replica"


class ReadYourWrite:
    name = "read-your-write"
    promises = (SEEN,)
    kinds = ("write", "read")

    def prepare(self, round_: Round, client: Client) -> None:
        """Each client makes its own provider."""

    def act(self, round_: Round, client: Client) -> None:
        host = f"host{client.process}"
        make_provider(round_, client, host)
        path = f"/resource_providers/{round_.uuid(host)}/inventories"
        following = client.replica % round_.replicas + 1
        for generation in range(WRITES):
            inventories = {"VCPU": {"total": generation + 1}}
            body = {"resource_provider_generation": generation, "inventories": inventories}
            value = [round_.name(host), generation + 1]
            write = client.do(Call("write", value, "PUT", path, body))
            client.do(Call("read", value, "GET", path, None, _total), following)
            if not write.ok:
                return

    def finish(self, round_: Round, client: Client) -> None:
        """Every client has read what it wrote."""

    def check(self, history: History) -> Iterator[Violation]:
        last: dict[Any, Operation] = {}
        for operation in history.operations:
            key = (operation.round, operation.process)
            if operation.kind == "write":
                last[key] = operation
            elif operation.kind == "read" and operation.ok and key in last and last[key].ok:
                write = last[key]
                wanted, seen = write.value[1], operation.result
                if seen != wanted:
                    what = f"replica {operation.replica} shows {seen}, not {wanted}"
                    yield Violation(SEEN, operation.round, what, [write, operation])


def _total(answer: Any) -> Any:
    return answer["inventories"].get("VCPU", {}).get("total")
