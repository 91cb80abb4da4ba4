"""What Apache's log says of the requests that it has passed on to placement."""

import re
from datetime import UTC, datetime

from harness.core.exchange import Exchange, Request, Response
from harness.stack.clients import replica_logs

# As services/apache/httpd.conf has it: time, replica, id, status, bytes, microseconds, request.
LINE = re.compile(r'(\S+) replica=(\S+) (\S+) (\d+) \S+ (\d+) "(\S+) (\S+)')
# What stands for a header that is not there.
NONE = "-"


def exchanges(stack: str, since: float) -> list[Exchange]:
    """The requests to replicas since a moment (seconds since the epoch), without bodies.

    They are in the order in which they ended. Who has asked, and for which test, is not known.
    """
    found = (
        LINE.match(line)
        for line in replica_logs.said_since(replica_logs.container(stack, "apache"), since)
    )
    return [_exchange(*one.groups()) for one in found if one and one[2] != NONE]


def _exchange(
    time: str, replica: str, request: str, status: str, microseconds: str, method: str, path: str
) -> Exchange:
    headers = {"x-placement-replica": replica, "x-openstack-request-id": request}
    return Exchange(
        suite="",
        test="",
        request=Request(method, path),
        response=Response(
            int(status), "", {name: one for name, one in headers.items() if one != NONE}, b""
        ),
        started=datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp(),
        seconds=int(microseconds) / 1e6,
    )
