"""A difference that a search has found, and the key by which several findings are one."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.exchange import Exchange
from harness.parity.compare import Difference
from harness.parity.explore.calls import Call
from harness.parity.judge import route_of
from harness.parity.tokens import TOKEN


@dataclass(frozen=True, slots=True)
class Cause:
    """The key by which differences are one: the route, both statuses, the place and the kind."""

    route: str
    statuses: tuple[str, str]
    place: str
    kind: str

    @property
    def leaves_all_as_it_was(self) -> bool:
        """Whether both sides hold the same after such a difference."""
        was_read = self.route.startswith("GET ")
        return was_read or self.place.startswith("header ") or min(self.statuses) >= "400"


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference: the calls, what each side answered, and where the last answers differ."""

    cause: Cause
    calls: Sequence[Call]
    left: Sequence[Exchange]
    right: Sequence[Exchange]
    difference: Difference

    @property
    def is_of_two_routes(self) -> bool:
        """Whether the last two calls write the same thing by two routes."""
        return route_of(self.left[-1]) != route_of(self.right[-1])


def cause_of(left: Exchange, right: Exchange, difference: Difference) -> Cause:
    first, second = (
        str(each.response.status) if each.response else "none" for each in (left, right)
    )
    place = TOKEN.sub("{}", difference.place)
    if first != second:
        # Everything else of two answers differs, too.
        place = "status"
    routes = dict.fromkeys((route_of(left), route_of(right)))
    return Cause(" | ".join(routes), (first, second), place, difference.kind)
