"""Every client makes the same trait, resource class, provider and child at the same moment."""

from collections.abc import Iterator
from typing import Any

from harness.consistency.client import Call, Client
from harness.consistency.history import History, Operation
from harness.consistency.judge import Violation
from harness.consistency.workloads.base import Round, make_provider

ONE_MADE = "of calls that make the same thing, one has made it"
ONE_THERE = "what was made is there, once"
# Kind of call -> the status that says that this call has made the thing.
MADE = {"make trait": 201, "make class": 201, "make provider": 200, "make child": 200}
TABLES = {"make trait": "custom traits", "make class": "custom classes"}


class CreateSame:
    name = "create-same"
    promises = (ONE_MADE, ONE_THERE)
    kinds = tuple(MADE)

    def key(self, operation: Operation) -> Any:
        return operation.kind

    def prepare(self, round_: Round, client: Client) -> None:
        make_provider(round_, client, "root")

    def act(self, round_: Round, client: Client) -> None:
        for kind, thing in (("make trait", "TRAIT"), ("make class", "CLASS")):
            name = custom(round_, thing)
            path = f"/traits/{name}" if thing == "TRAIT" else f"/resource_classes/{name}"
            client.do(Call(kind, name, "PUT", path))
        host = {"name": f"host-{round_.uuid('host')}", "uuid": round_.uuid("host")}
        client.do(Call("make provider", round_.name("host"), "POST", "/resource_providers", host))
        # One name, and a UUID for each client.
        child = {
            "name": f"child-{round_.uuid('child')}",
            "uuid": round_.uuid(f"child{client.process}"),
            "parent_provider_uuid": round_.uuid("root"),
        }
        client.do(Call("make child", round_.name("child"), "POST", "/resource_providers", child))

    def finish(self, round_: Round, client: Client) -> None:
        """The database says what is there."""

    def check(self, history: History) -> Iterator[Violation]:
        for number, operations in history.prepared.items():
            for kind, status in MADE.items():
                calls = [call for call in operations if call.kind == kind]
                makers = [call for call in calls if call.status == status]
                if len(makers) > 1:
                    yield Violation(
                        ONE_MADE, number, f"{len(makers)} calls to {kind} made it", makers
                    )
                answered = [call for call in calls if call.status is not None]
                if not makers and answered and all(call.outcome != "info" for call in calls):
                    yield Violation(ONE_MADE, number, f"no call to {kind} made it", answered)
                if history.tables and makers:
                    there = _there(history, number, kind)
                    if there != 1:
                        what = f"after a call to {kind} was acknowledged there are {there}"
                        yield Violation(ONE_THERE, number, what, makers)


def custom(round_: Round, thing: str) -> str:
    """Name of a trait or a class of this round; the run's seed and number make it its own."""
    return f"CUSTOM_{round_.names.tag}_R{round_.number}_{thing}"


def _there(history: History, number: int, kind: str) -> int:
    if kind in TABLES:
        return sum(row[1] for row in history.rows(TABLES[kind]).get(number, []))
    prefix = f"r{number}/{'host' if kind == 'make provider' else 'child'}"
    rows = history.rows("providers").get(number, [])
    return sum(str(row[0]).startswith(prefix) for row in rows)
