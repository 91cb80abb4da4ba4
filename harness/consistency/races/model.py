"""A small model of placement: what one call after another does to a few objects.

Each method is one writing route. It changes the state and returns True where placement accepts the
call, and returns False, without a change, where placement refuses it. Objects have short names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Resource classes and traits that every placement has.
STANDARD = frozenset(
    {"VCPU", "MEMORY_MB", "DISK_GB"}
    | {f"HW_CPU_X86_{name}" for name in ("AVX", "AVX2", "SSE", "SSE2", "MMX")}
)


@dataclass(slots=True)
class Provider:
    label: str
    parent: str | None = None
    generation: int = 0
    inventories: dict[str, int] = field(default_factory=dict)
    traits: set[str] = field(default_factory=set)
    aggregates: set[str] = field(default_factory=set)


@dataclass(slots=True)
class State:
    """``claims`` are {consumer: {(provider, class): amount}}, ``consumers`` their generations."""

    providers: dict[str, Provider] = field(default_factory=dict)
    claims: dict[str, dict[tuple[str, str], int]] = field(default_factory=dict)
    consumers: dict[str, int] = field(default_factory=dict)
    traits: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)

    # Traits and resource classes

    def put_trait(self, name: str) -> bool:
        self.traits.add(name)
        return True

    def delete_trait(self, name: str) -> bool:
        used = any(name in provider.traits for provider in self.providers.values())
        if name not in self.traits or used:
            return False
        self.traits.remove(name)
        return True

    def post_class(self, name: str) -> bool:
        if name in self.classes:
            return False
        self.classes.add(name)
        return True

    def put_class(self, name: str) -> bool:
        self.classes.add(name)
        return True

    def delete_class(self, name: str) -> bool:
        used = any(name in provider.inventories for provider in self.providers.values())
        if name not in self.classes or used:
            return False
        self.classes.remove(name)
        return True

    # Providers

    def post_provider(self, name: str, label: str, parent: str | None = None) -> bool:
        if name in self.providers or self._labelled(label):
            return False
        if parent is not None and parent not in self.providers:
            return False
        self.providers[name] = Provider(label, parent)
        return True

    def put_provider(self, name: str, label: str, parent: str | None = None) -> bool:
        if name not in self.providers or self._labelled(label) not in (None, name):
            return False
        if parent is not None and (parent not in self.providers or name in self._line(parent)):
            return False
        self.providers[name].label = label
        # A request that names no parent leaves the one that is there.
        self.providers[name].parent = parent or self.providers[name].parent
        return True

    def delete_provider(self, name: str) -> bool:
        if name not in self.providers or self._claimed(name):
            return False
        if any(provider.parent == name for provider in self.providers.values()):
            return False
        del self.providers[name]
        return True

    # What providers have; those that name a generation are refused when it has changed

    def post_inventory(self, name: str, class_: str, total: int) -> bool:
        """Add an inventory; placement ignores the generation that the request names."""
        if name not in self.providers or not self._is_class(class_):
            return False
        if class_ in self.providers[name].inventories:
            return False
        return self._inventories(name, {**self.providers[name].inventories, class_: total})

    def put_inventories(self, name: str, generation: int, totals: Mapping[str, int]) -> bool:
        if not self._is_at(name, generation) or not all(map(self._is_class, totals)):
            return False
        return self._inventories(name, totals)

    def put_inventory(self, name: str, generation: int, class_: str, total: int) -> bool:
        if not self._is_at(name, generation) or class_ not in self.providers[name].inventories:
            return False
        return self._inventories(name, {**self.providers[name].inventories, class_: total})

    def delete_inventories(self, name: str) -> bool:
        return name in self.providers and self._inventories(name, {})

    def delete_inventory(self, name: str, class_: str) -> bool:
        if name not in self.providers or class_ not in self.providers[name].inventories:
            return False
        has = self.providers[name].inventories
        return self._inventories(name, {other: has[other] for other in has if other != class_})

    def put_traits(self, name: str, generation: int, traits: set[str]) -> bool:
        if not self._is_at(name, generation) or not traits <= self.traits | STANDARD:
            return False
        return self._traits(name, traits)

    def delete_traits(self, name: str) -> bool:
        return name in self.providers and self._traits(name, set())

    def put_aggregates(self, name: str, generation: int, aggregates: set[str]) -> bool:
        if not self._is_at(name, generation):
            return False
        self.providers[name].aggregates = set(aggregates)
        self.providers[name].generation += 1
        return True

    # Claims

    def claim(self, claims: Mapping[str, tuple[int | None, Mapping[tuple[str, str], int]]]) -> bool:
        """PUT and POST /allocations: {consumer: (its generation, what it is to have)}."""
        if any(self.consumers.get(name) != generation for name, (generation, _) in claims.items()):
            return False
        after = {**self.claims, **{name: dict(wanted) for name, (_, wanted) in claims.items()}}
        touched = {place for _, wanted in claims.values() for place in wanted}
        for provider, class_ in touched:
            has = self.providers.get(provider)
            used = sum(wanted.get((provider, class_), 0) for wanted in after.values())
            if has is None or used > has.inventories.get(class_, 0):
                return False
        before = {place for name in claims for place in self.claims.get(name, {})}
        for provider in {provider for provider, _ in touched | before}:
            self.providers[provider].generation += 1
        for name in claims:
            self._settle(name, after[name])
        return True

    def delete_claims(self, name: str) -> bool:
        if name not in self.claims:
            return False
        del self.claims[name], self.consumers[name]
        return True

    def reshape(
        self,
        inventories: Mapping[str, tuple[int, Mapping[str, int]]],
        claims: Mapping[str, tuple[int | None, Mapping[tuple[str, str], int]]],
    ) -> bool:
        """POST /reshaper: {provider: (its generation, totals)}, and claims as for ``claim``."""
        if not all(self._is_at(name, generation) for name, (generation, _) in inventories.items()):
            return False
        if any(self.consumers.get(name) != generation for name, (generation, _) in claims.items()):
            return False
        after = {**self.claims, **{name: dict(wanted) for name, (_, wanted) in claims.items()}}
        for name, (_, totals) in inventories.items():
            for wanted in after.values():
                if any(at == name and class_ not in totals for at, class_ in wanted):
                    return False
        for name, (_, totals) in inventories.items():
            self.providers[name].inventories = dict(totals)
            self.providers[name].generation += 1
        for name in claims:
            self._settle(name, after[name])
        return True

    def shown(self) -> dict[str, Any]:
        """The state as it can be compared with rows of the database."""
        return {
            "providers": {
                name: [has.label, has.parent, has.inventories, has.traits, has.aggregates]
                for name, has in self.providers.items()
            },
            "claims": self.claims,
            "consumers": {*self.consumers},
            "traits": self.traits,
            "classes": self.classes,
        }

    def _settle(self, consumer: str, wanted: Mapping[tuple[str, str], int]) -> None:
        if wanted:
            self.claims[consumer] = dict(wanted)
            self.consumers[consumer] = (self.consumers.get(consumer) or 0) + 1
        else:
            self.claims.pop(consumer, None)
            self.consumers.pop(consumer, None)

    def _inventories(self, name: str, totals: Mapping[str, int]) -> bool:
        provider = self.providers[name]
        gone = provider.inventories.keys() - totals.keys()
        if any((name, class_) in wanted for wanted in self.claims.values() for class_ in gone):
            return False
        provider.inventories = dict(totals)
        provider.generation += 1
        return True

    def _traits(self, name: str, traits: set[str]) -> bool:
        provider = self.providers[name]
        # Placement takes the set that is there for no write.
        provider.generation += provider.traits != traits
        provider.traits = set(traits)
        return True

    def _labelled(self, label: str) -> str | None:
        """The provider that has this name already."""
        return next(
            (name for name, provider in self.providers.items() if provider.label == label), None
        )

    def _line(self, name: str) -> set[str]:
        """A provider and its ancestors."""
        line = set()
        ancestor: str | None = name
        while ancestor is not None and ancestor not in line:
            line.add(ancestor)
            ancestor = self.providers[ancestor].parent
        return line

    def _claimed(self, name: str) -> bool:
        return any(at == name for wanted in self.claims.values() for at, _ in wanted)

    def _is_at(self, name: str, generation: int) -> bool:
        return name in self.providers and self.providers[name].generation == generation

    def _is_class(self, name: str) -> bool:
        return name in self.classes or name in STANDARD
