"""Python tests of a live comparison: each is run again, with the other side's ``placement``."""

import copy
from typing import Any, TypeGuard

import pytest

from harness.plugin import _pytest_compat

PLACEMENT = "placement"
# The fixture that is `placement` for twins.
OTHER_PLACEMENT = "placement_of_the_other_side"
# Fixtures that act on the main side itself.
ACTS = frozenset({"stack", "database"})


class Twins:
    """Makes the twin of a test: the same test, whose fixture ``placement`` is the other side's.

    Fixtures that use ``placement`` are made anew for twins, once for each scope. All others are
    shared, and so are the modules in which the tests stand.
    """

    def __init__(self) -> None:
        # Definitions that were made anew, by the identity of those that pytest has.
        self._fixtures: dict[int, Any] = {}
        self._kept: list[Any] = []

    def of(self, item: pytest.Function) -> pytest.Function:
        fixtures = _pytest_compat.fixtures_of(item)
        using = _users_of_placement(fixtures)
        other = _pytest_compat.named_fixtures(item, OTHER_PLACEMENT)
        for name in using:
            made = [self._anew(fixture) for fixture in fixtures[name]]
            fixtures[name] = [*other, *made[1:]] if name == PLACEMENT else made
        return _pytest_compat.again(item, fixtures)

    def _anew(self, fixture: Any) -> Any:
        if id(fixture) not in self._fixtures:
            # The original is kept, so that no other object can get its identity.
            self._kept.append(fixture)
            self._fixtures[id(fixture)] = _pytest_compat.unused(copy.copy(fixture))
        return self._fixtures[id(fixture)]


def uses_placement(item: pytest.Item) -> TypeGuard[pytest.Function]:
    """Whether a Python test asks placement by the fixture of that name."""
    return isinstance(item, pytest.Function) and PLACEMENT in item.fixturenames


def acts_on(item: pytest.Function) -> frozenset[str]:
    """The fixtures by which a test acts on the main side itself, which the other side lacks."""
    return ACTS.intersection(item.fixturenames)


def _users_of_placement(fixtures: dict[str, Any]) -> set[str]:
    """The names of fixtures that use ``placement``, itself included."""
    using = {PLACEMENT}
    while True:
        more = {
            name
            for name, definitions in fixtures.items()
            if any(using & {*each.argnames} for each in definitions)
        }
        if more <= using:
            return using
        using |= more
