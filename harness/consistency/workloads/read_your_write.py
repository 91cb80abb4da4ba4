"""Clients write to a provider that few of them share, and read it through the next replica.

Each write has another content. A read must show the client's last acknowledged write, or a write of
another client that may have come after it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from harness.consistency.client import Call, Client
from harness.consistency.history import History, Operation
from harness.consistency.judge import Violation
from harness.consistency.workloads.base import Round, make_provider

WRITES = 5
# Clients that share a provider, at least.
SHARE = 2
SEEN = "what was acknowledged is seen through every replica"


class ReadYourWrite:
    name = "read-your-write"
    promises = (SEEN,)
    kinds = ("write", "read")

    def key(self, operation: Operation) -> Any:
        return operation.value[0]

    def prepare(self, round_: Round, client: Client) -> None:
        for number in range(_hosts(round_)):
            make_provider(round_, client, f"host{number}")

    def act(self, round_: Round, client: Client) -> None:
        host = f"host{client.process % _hosts(round_)}"
        path = f"/resource_providers/{round_.uuid(host)}/inventories"
        following = client.replica % round_.replicas + 1
        generation = 0
        for attempt in range(WRITES):
            total = client.process * WRITES + attempt + 1
            inventories = {"VCPU": {"total": total}}
            body = {"resource_provider_generation": generation, "inventories": inventories}
            value = [round_.name(host), total]
            client.do(Call("write", value, "PUT", path, body))
            read = client.do(Call("read", value, "GET", path, None, _shown), following)
            if read.result is not None:
                generation = read.result[0]

    def finish(self, round_: Round, client: Client) -> None:
        """Every client has read what it wrote."""

    def check(self, history: History) -> Iterator[Violation]:
        for number, operations in history.prepared.items():
            last: dict[int, Operation] = {}
            writes = [call for call in operations if call.kind == "write" and call.may_count]
            for operation in operations:
                if operation.kind == "write":
                    last[operation.process] = operation
                elif operation.kind == "read" and operation.ok:
                    write = last[operation.process]
                    seen = operation.result[1]
                    if write.ok and seen not in _possible(write, operation, writes):
                        what = f"replica {operation.replica} shows {seen}, not {write.value[1]}"
                        yield Violation(SEEN, number, what, [write, operation])


def _hosts(round_: Round) -> int:
    """Number of providers in a round."""
    return max(1, round_.clients // SHARE)


def _possible(write: Operation, read: Operation, writes: Sequence[Operation]) -> set[Any]:
    """What a read after this write may show: it, and what may have been written since.

    A write of unknown outcome may be carried out at any later moment.
    """
    return {
        other.value[1]
        for other in writes
        if other.value[0] == write.value[0]
        and (read.end is None or other.begin < read.end)
        and (not other.ok or other.end is None or other.end > write.begin)
    }


def _shown(answer: Any) -> Any:
    """The generation and the total of an answer."""
    total = answer["inventories"].get("VCPU", {}).get("total")
    return [answer["resource_provider_generation"], total]
