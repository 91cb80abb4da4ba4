"""Reads Apache's access log: the requests that Apache has passed on to placement."""

import re
from datetime import UTC, datetime

from harness.core.errors import StackError
from harness.core.exchange import Exchange, Request, Response
from harness.core.process import run
from harness.stack.clients import replica_logs

# LogFormat of services/apache/httpd.conf: time, replica, id, status, bytes, microseconds, request.
LINE = re.compile(r'(\S+) replica=(\S+) (\S+) (\d+) \S+ (\d+) "(\S+) (\S+)')
# Apache writes this for a header that is not there.
NONE = "-"
# Time limit of docker logs. Seconds.
PATIENCE = 10


def exchanges(stack: str, since: float) -> list[Exchange]:
    """Return the requests to replicas since a moment, without bodies, in the order of their ends.

    ``since`` is in seconds since the epoch. The log does not name the client or the test. Raises
    StackError when the log cannot be read: an empty list says that no request was served.
    """
    name = replica_logs.container(stack, "apache")
    logs = run("docker", "logs", "--since", f"{since:.3f}", name, seconds=PATIENCE)
    if not logs.ok:
        raise StackError(
            f"The log of {name} cannot be read: {logs.reason}.",
            "See whether the container is there: placement-harness status.",
            service="apache",
        )
    lines = (LINE.match(line) for line in (logs.out + logs.err).splitlines())
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
