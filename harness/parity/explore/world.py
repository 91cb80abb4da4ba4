"""The resources of a sequence of calls, and which of them the next call is about."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from harness.parity.explore.calls import Call

# Minor numbers of microversions from which claims have another shape.
SHAPES = (39, 30, 10, 8, 0)
ALL_PROVIDERS = ("{p0}", "{p1}", "{p2}")
ALL_CONSUMERS = ("{k0}", "{k1}")


@dataclass(frozen=True, slots=True)
class World:
    """The resources that earlier calls of a sequence have made, as far as their bodies say.

    ``stock`` maps a provider to the resource classes of its inventory. ``shapes`` are the minor
    numbers of the two sides' microversions.
    """

    stock: dict[str, list[str]] = field(default_factory=dict)
    consumers: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    shapes: Sequence[int] = SHAPES[:1]

    def take(self, call: Call) -> None:
        """Note what a call makes."""
        body = call.body if isinstance(call.body, dict) else {}
        way = call.path.split("/")
        if call.method == "POST" and call.path == "/resource_providers":
            self.stock.setdefault(str(body.get("uuid")), [])
        elif call.method == "PUT" and way[-1] == "inventories":
            inventories = body.get("inventories")
            if isinstance(inventories, dict) and inventories:
                self.stock[way[2]] = [*inventories]
        elif call.method == "PUT" and way[1] == "allocations":
            self.consumers.append(way[2])
        elif call.method == "PUT" and way[1] == "resource_classes" and not body:
            self.classes.append(way[2])

    @property
    def providers(self) -> st.SearchStrategy[str]:
        return st.sampled_from([*self.stock, *self.stock, *self.stock, *ALL_PROVIDERS])

    @property
    def consumer(self) -> st.SearchStrategy[str]:
        return st.sampled_from([*self.consumers[:3], *ALL_CONSUMERS])

    @property
    def resource_class(self) -> st.SearchStrategy[str]:
        """A resource class; custom ones come more often once they were made."""
        return st.sampled_from([*["VCPU"] * 6, *["MEMORY_MB"] * 2, *self.classes, "{c0}"])

    @property
    def places(self) -> st.SearchStrategy[tuple[str, str]]:
        """A provider, and a resource class: as a rule one that it has."""
        any_place = st.tuples(self.providers, self.resource_class)
        there = [(uuid, name) for uuid, names in self.stock.items() for name in names]
        return st.one_of(*[st.sampled_from(there)] * 4, any_place) if there else any_place
