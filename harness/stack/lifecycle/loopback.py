"""Finds out early that a stack's port cannot be reached, though Apache listens."""

import os
import socket
import time

from harness.core.errors import HarnessError, StackError
from harness.stack.access import Access
from harness.stack.model import containers
from harness.stack.model.hosts import LOOPBACK
from harness.stack.model.lanes import FIRST_PORT

# Time that Apache and the engine have after the containers' start. Seconds.
GRACE = 2.0
# Interval of looks, and the time limits of one look. Seconds.
INTERVAL = 1.0
CONNECT_SECONDS, LOOK_SECONDS = 2.0, 5.0
# State of a socket that listens, in /proc/net/tcp.
LISTENS = "0A"


class Loopback:
    """Looks whether the port of a stack can be reached, until it could be once."""

    def __init__(self, stack: Access) -> None:
        self._stack = stack
        self._next = time.monotonic() + GRACE
        self._reached = False

    def look(self) -> None:
        """Raise StackError where Apache listens, and its port cannot be reached from here."""
        if self._reached or time.monotonic() < self._next:
            return
        reason = self._problem()
        self._reached = reason is None
        if reason is not None and self._listens():
            raise self._error(reason)
        self._next = time.monotonic() + INTERVAL

    def _problem(self) -> str | None:
        """The reason why no connection can be made; None if one can."""
        place = (self._stack.record.address, self._stack.record.port)
        try:
            socket.create_connection(place, timeout=CONNECT_SECONDS).close()
        except OSError as error:
            return error.strerror or str(error)
        return None

    def _listens(self) -> bool:
        """Whether Apache listens, as seen from inside its container."""
        try:
            apache = containers.of_service(self._stack.state, "apache")
        except HarnessError:
            return False
        command = ("cat", "/proc/net/tcp", "/proc/net/tcp6")
        outcome = apache.engine.execute(apache.id, *command, seconds=LOOK_SECONDS)
        port = f":{FIRST_PORT:04X}"
        rows = [line.split() for line in outcome.out.splitlines()]
        return any(
            len(fields) > 3 and fields[1].endswith(port) and fields[3] == LISTENS for fields in rows
        )

    def _error(self, reason: str) -> StackError:
        address, port = self._stack.record.address, self._stack.record.port
        if address != LOOPBACK:
            return StackError(
                f"Apache listens in its container, but its port {address}:{port} cannot be reached "
                f"from here ({reason}).",
                "Let this machine reach that address (a firewall may close the port), or name "
                "another one of that host: --host NAME=ADDRESS.",
                service="apache",
            )
        host = os.environ.get("DOCKER_HOST")
        at = f" at {host}" if host else ""
        return StackError(
            f"Apache listens in its container, but its port {address}:{port} "
            f"cannot be reached from here ({reason}): the loopback interface of the container "
            f"engine{at} is not this process's.",
            "Run the harness on the engine's own machine; in a container there, with "
            "--network host. A firewall may close the port, too.",
            service="apache",
        )
