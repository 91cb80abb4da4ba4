"""Calls that write.

Few resources let calls of a sequence meet, and a call prefers what earlier calls have made (World):
most of what placement decides depends on what is there.
"""

from dataclasses import replace
from typing import Any

from harness.parity.explore.calls import Call, Generation
from harness.parity.explore.choosing import Draw, happens, number, pick, some
from harness.parity.explore.world import (
    AGGREGATES,
    ALL_PROVIDERS,
    CUSTOM_CLASSES,
    OWN_TRAITS,
    PROJECT,
    SHAPES,
    TRAITS,
    USER,
    World,
    amount,
)

LIMITS = ("reserved", "min_unit", "max_unit", "step_size", "allocation_ratio")
RATIOS = (1.0, 2.0, 0.5)


def scene(draw: Draw, world: World, version: str | None) -> list[Call]:
    """Calls that make a provider with an inventory, and maybe a class, a child, traits, aggregates.

    ``version`` is their microversion, where it must not be that of the side.
    """
    uuid = pick(draw, ["{p0}"] * 4 + [*ALL_PROVIDERS])
    calls = [Call("PUT", "/resource_classes/{c0}")] if happens(draw, 5) else []
    for call in calls:
        world.take(call)
    calls += _stocked(draw, world, uuid)
    if uuid != "{p2}" and happens(draw, 5):
        calls += _stocked(draw, world, "{p2}", uuid)
    if happens(draw, 6):
        calls += [Call("PUT", "/traits/{t0}"), _with_traits(uuid, ["{t0}"], Generation(uuid))]
        calls.append(_with_aggregates(uuid, ["{a0}"], Generation(uuid)))
    return [replace(call, version=version) for call in calls]


def _stocked(draw: Draw, world: World, uuid: str, parent: str | None = None) -> list[Call]:
    body = {"name": f"explore_{uuid}", "uuid": uuid}
    if parent is not None:
        body["parent_provider_uuid"] = parent
    first = Call("POST", "/resource_providers", body)
    return [first, _with_inventories(uuid, _inventories(draw, world), Generation(uuid))]


def _inventory(draw: Draw) -> dict[str, Any]:
    total = amount(draw)
    inventory: dict[str, Any] = {"total": total}
    for key in pick(draw, [*[()] * 10, *((limit,) for limit in LIMITS), LIMITS]):
        if key == "allocation_ratio":
            inventory[key] = pick(draw, RATIOS)
        elif key == "step_size":
            inventory[key] = number(draw, 1, 4)
        else:
            # What equals the total is where a rule begins or ends.
            inventory[key] = total if happens(draw, 3) else amount(draw)
    return inventory


def _inventories(draw: Draw, world: World) -> dict[str, Any]:
    return {world.resource_class(draw): _inventory(draw) for _ in range(number(draw, 1, 2))}


def _generation(draw: Draw, of: str) -> Generation:
    return Generation(of, stale=not happens(draw, 9))


def _with_inventories(uuid: str, inventories: object, generation: Generation) -> Call:
    body = {"resource_provider_generation": generation, "inventories": inventories}
    return Call("PUT", f"/resource_providers/{uuid}/inventories", body)


def _with_traits(uuid: str, traits: list[str], generation: Generation) -> Call:
    body = {"resource_provider_generation": generation, "traits": traits}
    return Call("PUT", f"/resource_providers/{uuid}/traits", body)


def _with_aggregates(uuid: str, aggregates: list[str], generation: Generation) -> Call:
    body = {"resource_provider_generation": generation, "aggregates": aggregates}
    return Call("PUT", f"/resource_providers/{uuid}/aggregates", body)


def provider(draw: Draw, world: World) -> list[Call]:
    """A new provider, or another name or parent of one."""
    is_new = happens(draw, 5)
    uuid = pick(draw, ALL_PROVIDERS) if is_new else world.provider(draw)
    body: dict[str, Any] = {"name": f"explore_{uuid}"}
    if happens(draw, 5):
        body["parent_provider_uuid"] = pick(draw, [world.provider(draw), None])
    if is_new:
        return [Call("POST", "/resource_providers", {**body, "uuid": uuid})]
    return [Call("PUT", f"/resource_providers/{uuid}", body)]


def stock(draw: Draw, world: World) -> list[Call]:
    """The inventories of a provider, or one of them."""
    uuid, name = world.place(draw)
    generation, path = _generation(draw, uuid), f"/resource_providers/{uuid}/inventories"
    single = {"resource_provider_generation": generation, **_inventory(draw)}
    way = pick(draw, ["all", "all", "one", "add", "delete", "delete all"])
    if way == "all":
        return [_with_inventories(uuid, _inventories(draw, world), generation)]
    if way == "one":
        return [Call("PUT", f"{path}/{name}", single)]
    if way == "add":
        return [Call("POST", path, {"resource_class": name, **single})]
    return [Call("DELETE", f"{path}/{name}" if way == "delete" else path)]


def claim(draw: Draw, world: World) -> list[Call]:
    """A consumer takes resources."""
    consumer = world.consumer(draw)
    shape, version = _shape(draw, world)
    body = _claim(draw, consumer, world, shape)
    return [Call("PUT", f"/allocations/{consumer}", body, version=version)]


def allocate(draw: Draw, world: World) -> list[Call]:
    """A consumer takes resources or gives them back, or two do."""
    way = pick(draw, ["PUT", "PUT", "PUT", "POST", "POST", "DELETE"])
    if way == "PUT":
        return claim(draw, world)
    consumer = world.consumer(draw)
    if way == "DELETE":
        return [Call("DELETE", f"/allocations/{consumer}")]
    shape, version = _shape(draw, world)
    body = {consumer: _claim(draw, consumer, world, shape)}
    if happens(draw, 5):
        other = "{k1}" if consumer == "{k0}" else "{k0}"
        body[other] = _claim(draw, other, world, shape)
        if happens(draw, 5):
            body[other]["allocations"] = {}
    return [Call("POST", "/allocations", body, version=version)]


def _shape(draw: Draw, world: World) -> tuple[int, str | None]:
    """The shape of a claim, and the microversion to send it with; None is the side's own."""
    if happens(draw, 8):
        return pick(draw, world.shapes), None
    shape = pick(draw, SHAPES)
    return shape, f"1.{shape}"


def _claim(draw: Draw, consumer: str, world: World, shape: int) -> dict[str, Any]:
    allocations: dict[str, dict[str, dict[str, int]]] = {}
    for _ in range(pick(draw, [1, 1, 1, 2])):
        uuid, name = world.place(draw)
        allocations.setdefault(uuid, {"resources": {}})["resources"][name] = world.share(
            draw, uuid, name
        )
    claim: dict[str, Any] = {
        "allocations": allocations,
        "project_id": PROJECT,
        "user_id": USER,
        "consumer_generation": _generation(draw, consumer),
        "consumer_type": "EXPLORE",
    }
    return _for_version(claim, shape)


def _for_version(claim: dict[str, Any], version: int) -> dict[str, Any]:
    """A claim as clients wrote it for this microversion."""
    if version < 38:
        del claim["consumer_type"]
    if version < 28:
        del claim["consumer_generation"]
    if version < 12:
        claim["allocations"] = [
            {"resource_provider": {"uuid": uuid}, **part}
            for uuid, part in claim["allocations"].items()
        ]
    if version < 8:
        del claim["project_id"], claim["user_id"]
    return claim


def describe(draw: Draw, world: World) -> list[Call]:
    """The traits and aggregates of a provider, and its end."""
    uuid = world.provider(draw)
    path, generation = f"/resource_providers/{uuid}", _generation(draw, uuid)
    aggregates = some(draw, AGGREGATES, 2)
    versioned = _with_aggregates(uuid, aggregates, generation)
    listed = replace(versioned, body=aggregates)
    # Up to 1.18 aggregates are a list.
    usual, other = (versioned, listed) if max(world.shapes) >= 19 else (listed, versioned)
    return [
        pick(
            draw,
            [
                _with_traits(uuid, some(draw, TRAITS, 2), generation),
                *(usual, usual, other),
                Call("DELETE", f"{path}/traits"),
                Call("DELETE", path),
            ],
        )
    ]


def define(draw: Draw, world: World) -> list[Call]:
    """A resource class or a trait."""
    name, trait = pick(draw, CUSTOM_CLASSES), pick(draw, OWN_TRAITS)
    return [
        pick(
            draw,
            [
                Call("PUT", f"/resource_classes/{name}"),
                Call("PUT", f"/traits/{trait}"),
                Call("POST", "/resource_classes", {"name": name}),
                Call("PUT", f"/resource_classes/{name}", {"name": pick(draw, CUSTOM_CLASSES)}),
                Call("DELETE", f"/resource_classes/{name}"),
                Call("DELETE", f"/traits/{trait}"),
            ],
        )
    ]


def reshape(draw: Draw, world: World) -> list[Call]:
    """Inventories and claims in one call."""
    uuid, consumer = world.provider(draw), world.consumer(draw)
    shape, version = _shape(draw, world)
    inventories = _with_inventories(uuid, _inventories(draw, world), _generation(draw, uuid)).body
    claims = {consumer: _claim(draw, consumer, world, shape)} if happens(draw, 5) else {}
    body = {"inventories": {uuid: inventories}, "allocations": claims}
    return [Call("POST", "/reshaper", body, version=version)]
