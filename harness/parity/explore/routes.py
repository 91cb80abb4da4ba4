"""Routes of placement that write the same thing, each by the other one's call.

A route has to refuse what the other one refuses. Two sides of one placement, of which one writes by
the second route, show where that is not so.
"""

from collections.abc import Callable, Mapping
from typing import Any

from harness.parity.compare import Difference
from harness.parity.explore.calls import NAME, Call

PROVIDERS = "body $.resource_providers["


def _by_reshaper(uuid: str, body: Any) -> Call:
    return Call("POST", "/reshaper", {"inventories": {uuid: body}, "allocations": {}})


def _by_post(consumer: str, body: Any) -> Call:
    return Call("POST", "/allocations", {consumer: body})


# The method and the path of a call, in which {} is a name -> the call that writes the same.
SAME: Mapping[tuple[str, str], Callable[[str, Any], Call]] = {
    ("PUT", "/resource_providers/{}/inventories"): _by_reshaper,
    ("PUT", "/allocations/{}"): _by_post,
}


def other_route(call: Call) -> Call:
    """The call that writes the same by another route; the same call where there is none."""
    by = SAME.get((call.method, NAME.sub("{}", call.path)))
    if by is None or call.raw is not None or call.headers or call.version is not None:
        return call
    ((kind, number),) = NAME.findall(call.path)
    return by(f"{{{kind}{number}}}", call.body)


def is_meant(difference: Difference) -> bool:
    """Whether two routes may differ so: a route may count a generation up by more than one.

    An entry of a list without order differs as a whole where its generation does.
    """
    return "generation" in difference.place or difference.place.startswith(PROVIDERS)
