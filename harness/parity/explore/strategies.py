"""Hypothesis's strategies for calls on few resources.

Few resources let calls of a sequence meet, and a call prefers what earlier calls have made (World):
most of what placement decides depends on what is there. The simplest alternative comes first
everywhere, since Hypothesis shrinks towards it.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from harness.parity.explore.calls import Call, Generation
from harness.parity.explore.hostile import hostile
from harness.parity.explore.world import ALL_PROVIDERS, SHAPES, World

Draw = Callable[[st.SearchStrategy[Any]], Any]

custom_classes = st.sampled_from(["{c0}", "{c0}", "{c1}"])
traits = st.sampled_from(["HW_CPU_X86_AVX", "{t0}", "{t0}", "{t1}", "CUSTOM_NOT_THERE"])
aggregates = st.sampled_from(["{a0}", "{a1}"])
amounts = st.integers(1, 10)


@st.composite
def _inventory(draw: Draw) -> dict[str, Any]:
    inventory: dict[str, Any] = {"total": draw(amounts)}
    optional = {
        "reserved": amounts,
        "min_unit": amounts,
        "max_unit": amounts,
        "step_size": st.integers(1, 4),
        "allocation_ratio": st.sampled_from([1.0, 2.0, 0.5]),
    }
    for key in draw(
        st.sampled_from([*[()] * 10, *((each,) for each in optional), tuple(optional)])
    ):
        inventory[key] = draw(optional[key])
    return inventory


def _inventories(world: World) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(world.resource_class, _inventory(), min_size=1, max_size=2)


def _generation(of: str) -> st.SearchStrategy[Generation]:
    fresh, stale = Generation(of), Generation(of, stale=True)
    return st.sampled_from([*[fresh] * 9, stale])


@st.composite
def _claim(draw: Draw, consumer: str, world: World, shape: int) -> dict[str, Any]:
    allocations: dict[str, dict[str, dict[str, int]]] = {}
    for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
        provider, name = draw(world.places)
        resources = allocations.setdefault(provider, {"resources": {}})["resources"]
        resources[name] = draw(amounts)
    claim: dict[str, Any] = {
        "allocations": allocations,
        "project_id": "explore-project",
        "user_id": "explore-user",
        "consumer_generation": draw(_generation(consumer)),
        "consumer_type": "EXPLORE",
    }
    return _for_version(claim, shape)


@st.composite
def _shape(draw: Draw, world: World) -> tuple[int, str | None]:
    """The shape of a claim, and the microversion to send it with; None is the side's own."""
    if draw(st.integers(0, 9)) < 8:
        return draw(st.sampled_from(world.shapes)), None
    shape = draw(st.sampled_from(SHAPES))
    return shape, f"1.{shape}"


def _for_version(claim: dict[str, Any], version: int) -> dict[str, Any]:
    """A claim as clients wrote it for this microversion."""
    if version < 38:
        del claim["consumer_type"]
    if version < 28:
        del claim["consumer_generation"]
    if version < 12:
        claim["allocations"] = [
            {"resource_provider": {"uuid": provider}, **part}
            for provider, part in claim["allocations"].items()
        ]
    if version < 8:
        del claim["project_id"], claim["user_id"]
    return claim


@st.composite
def _provider(draw: Draw, world: World) -> list[Call]:
    uuid = draw(st.sampled_from(ALL_PROVIDERS))
    body: dict[str, Any] = {"name": f"explore_{uuid}", "uuid": uuid}
    if draw(st.sampled_from([False, False, True])):
        body["parent_provider_uuid"] = draw(st.sampled_from(["{p0}", "{p1}", None]))
    way = draw(st.sampled_from(["POST", "POST", "PUT"]))
    if way == "POST":
        return [Call("POST", "/resource_providers", body)]
    return [
        Call("PUT", f"/resource_providers/{uuid}", {k: v for k, v in body.items() if k != "uuid"})
    ]


@st.composite
def stocked_provider(draw: Draw, world: World) -> list[Call]:
    uuid = draw(st.sampled_from([*["{p0}"] * 4, *ALL_PROVIDERS]))
    first = Call("POST", "/resource_providers", {"name": f"explore_{uuid}", "uuid": uuid})
    return [first, _put_inventories(uuid, draw(_inventories(world)), Generation(uuid))]


def _put_inventories(uuid: str, inventories: object, generation: object) -> Call:
    body = {"resource_provider_generation": generation, "inventories": inventories}
    return Call("PUT", f"/resource_providers/{uuid}/inventories", body)


@st.composite
def _stock(draw: Draw, world: World) -> list[Call]:
    uuid, name = draw(world.places)
    generation, path = draw(_generation(uuid)), f"/resource_providers/{uuid}/inventories"
    single = {"resource_provider_generation": generation, **draw(_inventory())}
    way = draw(st.sampled_from(["all", "all", "all", "one", "add", "delete", "delete all"]))
    if way == "all":
        return [_put_inventories(uuid, draw(_inventories(world)), generation)]
    if way == "one":
        return [Call("PUT", f"{path}/{name}", single)]
    if way == "add":
        return [Call("POST", path, {"resource_class": name, **single})]
    return [Call("DELETE", f"{path}/{name}" if way == "delete" else path)]


@st.composite
def claims(draw: Draw, world: World) -> list[Call]:
    """A consumer takes resources."""
    consumer = draw(world.consumer)
    shape, version = draw(_shape(world))
    claim = draw(_claim(consumer, world, shape))
    return [Call("PUT", f"/allocations/{consumer}", claim, version=version)]


@st.composite
def _allocate(draw: Draw, world: World) -> list[Call]:
    consumer = draw(world.consumer)
    way = draw(st.sampled_from(["PUT", "PUT", "PUT", "PUT", "DELETE", "POST"]))
    if way == "DELETE":
        return [Call("DELETE", f"/allocations/{consumer}")]
    if way == "PUT":
        return draw(claims(world))  # type: ignore[no-any-return]
    shape, version = draw(_shape(world))
    claim = draw(_claim(consumer, world, shape))
    body = {consumer: claim}
    if draw(st.booleans()):
        other = "{k1}" if consumer == "{k0}" else "{k0}"
        emptied = draw(st.booleans())
        claim = draw(_claim(other, world, shape))
        body[other] = {**claim, "allocations": {}} if emptied else claim
    return [Call("POST", "/allocations", body, version=version)]


@st.composite
def _describe(draw: Draw, world: World) -> list[Call]:
    uuid = draw(world.providers)
    path, generation = f"/resource_providers/{uuid}", draw(_generation(uuid))
    some_traits = draw(st.lists(traits, max_size=2, unique=True))
    some_aggregates = draw(st.lists(aggregates, max_size=2, unique=True))
    versioned = {"resource_provider_generation": generation}
    return [
        draw(
            st.sampled_from(
                [
                    Call("PUT", f"{path}/traits", {**versioned, "traits": some_traits}),
                    Call("PUT", f"{path}/aggregates", {**versioned, "aggregates": some_aggregates}),
                    Call("PUT", f"{path}/aggregates", some_aggregates),
                    Call("DELETE", f"{path}/traits"),
                    Call("DELETE", path),
                ]
            )
        )
    ]


@st.composite
def _define(draw: Draw, world: World) -> list[Call]:
    name, trait = draw(custom_classes), draw(traits)
    return [
        draw(
            st.sampled_from(
                [
                    Call("PUT", f"/resource_classes/{name}"),
                    Call("PUT", f"/traits/{trait}"),
                    Call("POST", "/resource_classes", {"name": name}),
                    Call("PUT", f"/resource_classes/{name}", {"name": draw(custom_classes)}),
                    Call("DELETE", f"/resource_classes/{name}"),
                    Call("DELETE", f"/traits/{trait}"),
                ]
            )
        )
    ]


@st.composite
def _reshape(draw: Draw, world: World) -> list[Call]:
    uuid, consumer = draw(world.providers), draw(world.consumer)
    shape, version = draw(_shape(world))
    inventories = {
        uuid: {
            "resource_provider_generation": draw(_generation(uuid)),
            "inventories": draw(_inventories(world)),
        }
    }
    claims = draw(st.sampled_from([{}, {consumer: draw(_claim(consumer, world, shape))}]))
    body = {"inventories": inventories, "allocations": claims}
    return [Call("POST", "/reshaper", body, version=version)]


@st.composite
def _read(draw: Draw, world: World) -> list[Call]:
    uuid, consumer = draw(world.providers), draw(world.consumer)
    provider = f"/resource_providers/{uuid}"
    path = draw(
        st.sampled_from(
            [
                provider,
                *(f"{provider}/{each}" for each in ("inventories", "usages", "allocations")),
                *(f"{provider}/{each}" for each in ("traits", "aggregates")),
                f"{provider}/inventories/{draw(world.resource_class)}",
                f"/allocations/{consumer}",
                f"/resource_classes/{draw(custom_classes)}",
                f"/traits/{draw(traits)}",
                "/",
                "/usages?project_id=explore-nobody",
                f"/traits?name=in:{draw(traits)},{draw(traits)}",
            ]
        )
    )
    return [Call("GET", path)]


@st.composite
def _search(draw: Draw, world: World) -> list[Call]:
    """Listings that hold this sequence's resources alone."""
    uuid, trait = draw(world.providers), draw(traits)
    filters = [
        f"in_tree={uuid}",
        f"uuid={uuid}",
        f"name=explore_{uuid}",
        *(f"member_of={way}{draw(aggregates)}" for way in ("", "in:", "!", "!in:")),
        *(f"required={way}{trait}" for way in ("", "!", "in:")),
        f"required={draw(traits)},{trait}",
        f"resources={draw(world.resource_class)}:{draw(amounts)}",
    ]
    extra = draw(st.sampled_from([(), *((each,) for each in filters)]))
    if draw(st.booleans()):
        query = "&".join((f"in_tree={uuid}", *extra))
        return [Call("GET", f"/resource_providers?{query}")]
    more = [
        "limit=1",
        f"resources1={draw(world.resource_class)}:{draw(amounts)}&group_policy=none",
        f"resources_A={draw(world.resource_class)}:{draw(amounts)}&group_policy=isolate",
        f"root_required={trait}",
        "same_subtree=_A,_B&resources_A=VCPU:1&resources_B=VCPU:1&group_policy=none",
        f"required_A={trait}&resources_A=VCPU:1",
        f"member_of={draw(aggregates)}&member_of={draw(aggregates)}",
    ]
    chosen = draw(st.sampled_from([(), *((each,) for each in (*filters[3:], *more))]))
    query = "&".join(
        (f"resources={draw(world.resource_class)}:{draw(amounts)}", f"in_tree={uuid}", *chosen)
    )
    if draw(st.sampled_from([True, True, False])):
        return [Call("GET", f"/allocation_candidates?{query}")]
    return [
        Call(
            "GET", f"/allocation_candidates?{query.replace(f'&in_tree={uuid}', '')}&required={{t0}}"
        )
    ]


def any_call(world: World) -> st.SearchStrategy[list[Call]]:
    """Any call; those on allocations and inventories come more often."""
    ordinary = [
        strategy(world)
        for strategy in (
            *(_allocate, _stock, _read, _describe, _search, _provider, _define, _reshape),
            *(_allocate, _stock),
        )
    ]
    return st.one_of(*ordinary, hostile(ordinary))
