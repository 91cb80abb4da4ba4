"""The ids of what a suite's fixture has made, by which two sides of a comparison are related."""

import json
from collections.abc import Mapping, Sequence

from harness.core.exchange import Request
from harness.suites.connection import Wire
from harness.upstream import identities

TIMEOUT = 30.0
HEADERS = {
    identities.TOKEN: identities.ADMIN,
    "accept": "application/json",
    "openstack-api-version": "placement 1.39",
}


def ids(wire: Wire) -> Sequence[Mapping[str, str]]:
    """Ids by variable, and of providers by name.

    Raises OSError where placement does not answer.
    """
    return wire.staged_variables, _providers(wire)


def _providers(wire: Wire) -> Mapping[str, str]:
    request = Request("GET", f"{wire.url}/resource_providers", wire.sent(HEADERS))
    answer = wire.transport(verify=True).send(request, timeout=TIMEOUT)
    if answer.status != 200:
        return {}
    return {each["name"]: each["uuid"] for each in json.loads(answer.body)["resource_providers"]}
