"""Calls that read: resources, listings of providers, candidates.

The first parameter of a listing is one that the resources of its sequence alone meet: what other
sequences have left is something else on each side.
"""

from collections.abc import Sequence

from harness.parity.explore.calls import Call
from harness.parity.explore.choosing import Draw, number, pick
from harness.parity.explore.world import (
    AGGREGATES,
    CUSTOM_CLASSES,
    PROJECT,
    TRAITS,
    Since,
    World,
)

# The number of further filters of a listing.
FILTERS = (0, 1, 1, 1, 2)
# Amounts that are asked for: small ones, since most inventories are small.
WANTED = (1, 1, 2, 5)
# Suffixes of request groups. Names came later than numbers.
SUFFIXES = (("1", 25), ("_A", 33))
POLICIES = ("", "&group_policy=none", "&group_policy=isolate")


def read(draw: Draw, world: World) -> list[Call]:
    """One resource, or a collection that belongs to one."""
    provider = f"/resource_providers/{world.provider(draw)}"
    ways = ("", "/inventories", "/usages", "/allocations", "/traits", "/aggregates")
    path = pick(
        draw,
        [
            *(f"{provider}{way}" for way in ways),
            f"{provider}/inventories/{world.resource_class(draw)}",
            f"/allocations/{world.consumer(draw)}",
            f"/resource_classes/{pick(draw, CUSTOM_CLASSES)}",
            f"/traits/{pick(draw, TRAITS)}",
            "/",
            f"/usages?project_id={PROJECT}",
            f"/usages?project_id={PROJECT}&consumer_type=EXPLORE",
            f"/traits?name=in:{pick(draw, TRAITS)},{pick(draw, TRAITS)}",
        ],
    )
    return [Call("GET", path)]


def providers(draw: Draw, world: World) -> list[Call]:
    """A listing of providers."""
    uuid, wanted = world.provider(draw), pick(draw, WANTED)
    bounds = [
        (0, f"uuid={uuid}"),
        (0, f"name=explore_{uuid}"),
        (3, "member_of={a0}"),
        (4, f"resources={{c0}}:{wanted}"),
        (14, f"in_tree={uuid}"),
    ]
    filters = [
        (4, f"resources={world.resource_class(draw)}:{wanted}"),
        *_member_of(draw),
        *_required(draw),
    ]
    return [Call("GET", f"/resource_providers?{_query(draw, world, bounds, filters)}")]


def candidates(draw: Draw, world: World) -> list[Call]:
    """A listing of candidates."""
    wanted = pick(draw, WANTED)
    some = f"resources={world.resource_class(draw)}:{wanted}"
    bounds = [
        (10, f"resources={{c0}}:{wanted}"),
        (17, f"required={{t0}}&{some}"),
        (21, f"member_of={{a0}}&{some}"),
        (31, f"in_tree={world.provider(draw)}&{some}"),
    ]
    filters = [*_member_of(draw), *_required(draw), *_of_candidates(draw, world)]
    return [Call("GET", f"/allocation_candidates?{_query(draw, world, bounds, filters)}")]


def _query(draw: Draw, world: World, bounds: Sequence[Since], filters: Sequence[Since]) -> str:
    chosen = [world.one_of(draw, bounds)]
    chosen += [world.one_of(draw, filters) for _ in range(pick(draw, FILTERS))]
    return "&".join(chosen)


def _member_of(draw: Draw, suffix: str = "") -> Sequence[Since]:
    first, other, name = pick(draw, AGGREGATES), pick(draw, AGGREGATES), f"member_of{suffix}"
    return [
        (3, f"{name}={first}"),
        (3, f"{name}=in:{first},{other}"),
        (24, f"{name}={first}&{name}={other}"),
        (32, f"{name}=!{first}"),
        (32, f"{name}=!in:{first},{other}"),
    ]


def _required(draw: Draw, suffix: str = "") -> Sequence[Since]:
    first, other, name = pick(draw, TRAITS), pick(draw, TRAITS), f"required{suffix}"
    return [
        (17, f"{name}={first}"),
        (17, f"{name}={first},{other}"),
        (22, f"{name}=!{first}"),
        (39, f"{name}=in:{first},{other}"),
        (39, f"{name}={first}&{name}={other}"),
    ]


def _of_candidates(draw: Draw, world: World) -> Sequence[Since]:
    """Filters that candidates alone have: limits, groups, trees."""
    name, uuid = world.resource_class(draw), world.provider(draw)
    suffix, since = pick(draw, SUFFIXES)
    group = f"resources{suffix}={name}:{pick(draw, WANTED)}{pick(draw, POLICIES)}"
    more = world.one_of(draw, [*_member_of(draw, suffix), *_required(draw, suffix)])
    two = f"resources_A={name}:1&resources_B={world.resource_class(draw)}:1&group_policy=none"
    return [
        (16, f"limit={number(draw, 1, 2)}"),
        (since, group),
        (since, f"{group}&{more}"),
        (max(since, 31), f"{group}&in_tree{suffix}={uuid}"),
        (31, f"in_tree={uuid}"),
        (35, f"root_required={pick(draw, ('', '!'))}{pick(draw, TRAITS)}"),
        (36, f"{two}&same_subtree=_A,_B"),
    ]
