"""Writes that name a provider's generation: of those that name the same one, one wins.

Clients write inventories, traits and aggregates of one provider. At first all of them name the
generation 1, later the one that they have just read.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from harness.consistency.client import Call, Client
from harness.consistency.history import History, Operation
from harness.consistency.judge import Violation
from harness.consistency.workloads.base import (
    Round,
    generation_of,
    make_provider,
    set_inventory,
)

ATTEMPTS = 3
ONE_WINNER = "of writes that name the same provider generation, one is acknowledged"
COUNTS = "a provider's generation counts its acknowledged writes"
LAST = "what is there in the end is what the last acknowledged write of it said"
# Facets of a provider, each with its own route, and its table in a history.
FACETS = {"inventories": "inventories", "traits": "traits", "aggregates": "aggregates"}
TRAITS = (
    "HW_CPU_X86_AVX",
    "HW_CPU_X86_AVX2",
    "HW_CPU_X86_SSE",
    "HW_CPU_X86_SSE2",
    "HW_CPU_X86_MMX",
)


class ProviderGeneration:
    name = "provider-generation"
    promises = (ONE_WINNER, COUNTS, LAST)
    kinds = ("write",)

    def key(self, operation: Operation) -> Any:
        return "host"

    def prepare(self, round_: Round, client: Client) -> None:
        make_provider(round_, client, "host")
        set_inventory(round_, client, "host", {"VCPU": 1})

    def act(self, round_: Round, client: Client) -> None:
        choice = round_.random(client.process)
        path = f"/resource_providers/{round_.uuid('host')}"
        generation = 1
        for attempt in range(ATTEMPTS):
            facet = choice.choice([*FACETS])
            # Each write has another content: placement takes the set that is there for no write.
            mark = client.process * ATTEMPTS + attempt + 1
            content, fields = _content(round_, facet, mark)
            body = {"resource_provider_generation": generation, **fields}
            value = [round_.name("host"), facet, generation, content]
            client.do(Call("write", value, "PUT", f"{path}/{facet}", body, generation_of))
            read = client.do(Call("read", value[0], "GET", f"{path}/traits", None, generation_of))
            if read.result is not None:
                generation = read.result

    def finish(self, round_: Round, client: Client) -> None:
        """The database says what is there."""

    def check(self, history: History) -> Iterator[Violation]:
        providers = history.rows("providers")
        for number, operations in history.prepared.items():
            writes = [operation for operation in operations if operation.kind == "write"]
            by_generation: dict[int, list[Operation]] = {}
            for write in writes:
                if write.ok:
                    by_generation.setdefault(write.value[2], []).append(write)
            for generation, winners in by_generation.items():
                if len(winners) > 1:
                    what = f"{len(winners)} writes of generation {generation} were acknowledged"
                    yield Violation(ONE_WINNER, number, what, winners)
            if number in providers:
                yield from _count(number, writes, providers[number][0][2])
                yield from _last(history, number, writes)


def _content(round_: Round, facet: str, mark: int) -> tuple[Any, dict[str, Any]]:
    """What a write says: as checkers have it, and as the body of the request."""
    if facet == "inventories":
        return mark, {"inventories": {"VCPU": {"total": mark}}}
    if facet == "traits":
        chosen = sorted(t for bit, t in enumerate(TRAITS) if mark >> bit & 1)
        return chosen, {"traits": chosen}
    name = f"a{mark}"
    return [round_.name(name)], {"aggregates": [round_.uuid(name)]}


def _count(number: int, writes: Sequence[Operation], generation: int) -> Iterator[Violation]:
    least = 1 + sum(write.ok for write in writes)
    most = 1 + sum(write.may_count for write in writes)
    if not least <= generation <= most:
        what = f"the generation is {generation} after {least - 1} acknowledged writes"
        yield Violation(COUNTS, number, what, [write for write in writes if write.ok])


def _last(history: History, number: int, writes: Sequence[Operation]) -> Iterator[Violation]:
    for facet, table in FACETS.items():
        of_facet = [write for write in writes if write.value[1] == facet and write.may_count]
        acknowledged = [write for write in of_facet if write.ok]
        if not acknowledged or len(acknowledged) < len(of_facet):
            continue
        last = max(acknowledged, key=lambda write: int(write.value[2]))
        rows = history.rows(table).get(number, [])
        there = rows[0][2] if facet == "inventories" and rows else sorted(row[1] for row in rows)
        if there != last.value[3]:
            what = f"{facet} are {there}, and the last acknowledged write said {last.value[3]}"
            yield Violation(LAST, number, what, [last])
