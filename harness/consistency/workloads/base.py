"""What a workload is: what clients do in a round, and what must hold afterwards.

A round has objects of its own, and every client takes part in it at the same moment. Rounds know
nothing of each other, so that one round alone can be repeated.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.consistency.client import Call, Client, Names
from harness.consistency.history import History, Operation
from harness.consistency.judge import Violation


@dataclass(frozen=True, slots=True)
class Round:
    """One round. ``clients`` is how many take part; ``seed`` and the number decide all choices."""

    number: int
    seed: str
    clients: int
    replicas: int
    names: Names

    def name(self, object_: str) -> str:
        """Name of an object of this round, as histories have it."""
        return f"r{self.number}/{object_}"

    def uuid(self, object_: str) -> str:
        """UUID of an object of this round."""
        return self.names.uuid(self.name(object_))

    def named_claims(self, answer: Any) -> dict[str, dict[str, int]]:
        """The allocations of an answer, by the names of providers."""
        return {
            self.names.name(provider): dict(claim["resources"])
            for provider, claim in answer["allocations"].items()
        }

    def random(self, process: int) -> random.Random:
        """The choices of one client in this round."""
        return random.Random(f"{self.seed}/{self.number}/{process}")  # noqa: S311 (no secret)


class Workload(Protocol):
    """A workload; each has a module of its own, and a row in the table of ``workloads``."""

    name: str

    @property
    def promises(self) -> Sequence[str]:
        """Promises of placement's API, in its words. A violation names one of them."""

    @property
    def kinds(self) -> Sequence[str]:
        """Kinds of calls, each of which must have succeeded once for anything to be decided."""

    def key(self, operation: Operation) -> Any:
        """The object of the round for which a call contends with others."""

    def prepare(self, round_: Round, client: Client) -> None:
        """Make what the round needs; one client does that."""

    def act(self, round_: Round, client: Client) -> None:
        """Make a client's calls; all clients do so at the same moment."""

    def finish(self, round_: Round, client: Client) -> None:
        """Read what is there afterwards; one client does that, when all others are done."""

    def check(self, history: History) -> Iterable[Violation]:
        """The promises that a history breaks. Pure: the history is all that it reads."""


def make_provider(round_: Round, client: Client, name: str, parent: str | None = None) -> Operation:
    """Make a provider of the round."""
    body = {"name": f"{name}-{round_.uuid(name)}", "uuid": round_.uuid(name)}
    if parent is not None:
        body["parent_provider_uuid"] = round_.uuid(parent)
    value = round_.name(name)
    return client.do(Call("prepare provider", value, "POST", "/resource_providers", body))


def set_inventory(
    round_: Round, client: Client, name: str, totals: dict[str, int], generation: int = 0
) -> Operation:
    """Give a provider these totals of resource classes."""
    body = {
        "resource_provider_generation": generation,
        "inventories": {class_: {"total": total} for class_, total in totals.items()},
    }
    path = f"/resource_providers/{round_.uuid(name)}/inventories"
    return client.do(
        Call("prepare inventory", [round_.name(name), totals], "PUT", path, body, generation_of)
    )


def generation_of(answer: Any) -> Any:
    """A provider's generation, from any answer that has it."""
    return answer.get("resource_provider_generation", answer.get("generation"))
