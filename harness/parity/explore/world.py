"""The resources of a sequence of calls, and which of them the next call is about."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.parity.explore.calls import Call
from harness.parity.explore.choosing import Draw, happens, number, pick

# Minor numbers of microversions from which claims have another shape.
SHAPES = (39, 30, 10, 8, 0)
ALL_PROVIDERS = ("{p0}", "{p1}", "{p2}")
ALL_CONSUMERS = ("{k0}", "{k1}")
CUSTOM_CLASSES = ("{c0}", "{c0}", "{c1}")
TRAITS = ("HW_CPU_X86_AVX", "{t0}", "{t0}", "{t1}", "CUSTOM_NOT_THERE")
# Traits of a sequence's own: what one sequence makes, no other one may meet.
OWN_TRAITS = ("{t0}", "{t0}", "{t1}")
AGGREGATES = ("{a0}", "{a0}", "{a1}")
LARGEST = 10
PROJECT, USER = "explore_{u0}", "explore_{u1}"
# Something that requests may have, and the minor number of the microversion that brought it.
Since = tuple[int, str]


def amount(draw: Draw) -> int:
    """An amount of a resource."""
    return number(draw, 1, LARGEST)


@dataclass(frozen=True, slots=True)
class World:
    """The resources that earlier calls of a sequence have made, as far as their bodies say.

    ``stock`` maps a provider to its inventory: resource class -> total. ``shapes`` are the minor
    numbers of the two sides' microversions.
    """

    stock: dict[str, dict[str, Any]] = field(default_factory=dict)
    consumers: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    shapes: Sequence[int] = SHAPES[:1]

    def take(self, call: Call) -> None:
        """Note what a call makes."""
        body = call.body if isinstance(call.body, dict) else {}
        # A hostile call may have another path than its route.
        match call.method, call.path.split("/")[1:]:
            case "POST", ["resource_providers"]:
                self.stock.setdefault(str(body.get("uuid")), {})
            case "PUT", ["resource_providers", provider, "inventories"]:
                inventories = body.get("inventories")
                if isinstance(inventories, dict) and inventories:
                    self.stock[provider] = {
                        name: each.get("total") if isinstance(each, dict) else None
                        for name, each in inventories.items()
                    }
            case "PUT", ["allocations", consumer]:
                self.consumers.append(consumer)
            case "PUT", ["resource_classes", name] if not body:
                self.classes.append(name)

    def provider(self, draw: Draw) -> str:
        return pick(draw, [*self.stock, *self.stock, *self.stock, *ALL_PROVIDERS])

    def consumer(self, draw: Draw) -> str:
        return pick(draw, [*self.consumers[:3], *ALL_CONSUMERS])

    def resource_class(self, draw: Draw) -> str:
        """A resource class; custom ones come more often once they were made."""
        made = dict.fromkeys(self.classes)
        return pick(draw, [*["VCPU"] * 6, *["MEMORY_MB"] * 2, *[*made] * 6, "{c0}"])

    def place(self, draw: Draw) -> tuple[str, str]:
        """A provider, and a resource class: as a rule one that it has."""
        there = [(uuid, name) for uuid, names in self.stock.items() for name in names]
        if there and happens(draw, 8):
            return pick(draw, there)
        return self.provider(draw), self.resource_class(draw)

    def share(self, draw: Draw, uuid: str, name: str) -> int:
        """An amount of what a provider has: all, half, or any."""
        total = self.stock.get(uuid, {}).get(name)
        if isinstance(total, int) and 1 < total <= LARGEST and happens(draw, 7):
            return pick(draw, (total, total, total // 2))
        return amount(draw)

    def one_of(self, draw: Draw, choices: Sequence[Since]) -> str:
        """A choice, as a rule one that the newer of the two microversions has."""
        there = [text for since, text in choices if since <= max(self.shapes)]
        if there and happens(draw, 9):
            return pick(draw, there)
        return pick(draw, choices)[1]
