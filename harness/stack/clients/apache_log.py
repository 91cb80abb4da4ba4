"""Reads Apache's access log: the requests that Apache has passed on to placement."""

import re
from datetime import UTC, datetime

from harness.core.errors import StackError
from harness.core.exchange import Exchange, Request, Response
from harness.engine.values import DockerError
from harness.stack.model import containers
from harness.stack.model.state import StackState

# LogFormat of services/apache/httpd.conf: time, replica, id, status, bytes, microseconds, request.
LINE = re.compile(r'(\S+) replica=(\S+) (\S+) (\d+) \S+ (\d+) "(\S+) (\S+)')
# Apache writes this for a missing header.
NONE = "-"


def exchanges(state: StackState, since: float) -> list[Exchange]:
    """Return the requests to replicas since a moment, without bodies, in the order of their ends.

    ``since`` is in seconds since the epoch. The log does not name the client or the test. Raises
    StackError when the log cannot be read, because an empty list means that none was served.
    """
    apache = containers.of_service(state, "apache")
    try:
        logs = apache.engine.logs(apache.id, since=since)
    except DockerError as error:
        raise StackError(
            f"The log of {apache.name} cannot be read: {error.reason}.",
            "See whether the container exists: placement-harness status.",
            service="apache",
        ) from None
    lines = (LINE.match(line) for line in logs)
    return [_exchange(*line.groups()) for line in lines if line and line[2] != NONE]


def _exchange(
    time: str, replica: str, request: str, status: str, microseconds: str, method: str, path: str
) -> Exchange:
    headers = {"x-placement-replica": replica, "x-openstack-request-id": request}
    present = {name: value for name, value in headers.items() if value != NONE}
    return Exchange(
        suite="",
        test="",
        request=Request(method, path),
        response=Response(int(status), "", present, b""),
        started=datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp(),
        seconds=int(microseconds) / 1e6,
    )
