"""Ports of this machine's loopback interface: whether a port is free, and which program has it."""

import contextlib
import socket
from pathlib import Path

LISTENS = "0A"


def is_free(port: int) -> bool:
    """Whether a program could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # Connections that have ended do not hold a port: servers bind with this option, too.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free(preferred: int = 0) -> int:
    """A port that no program listens on: the preferred one, if that is free."""
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def holder(port: int) -> str | None:
    """Name and number of the process that listens on a port; None where that cannot be seen.

    Without root, only processes of this user can be seen.
    """
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    if not sockets:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                if str(descriptor.readlink()) in sockets:
                    return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return None


def _listening(port: int) -> set[str]:
    """The inodes of sockets that listen on a port."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                local, state, inode = fields[1], fields[3], fields[9]
                if state == LISTENS and int(local.rpartition(":")[2], 16) == port:
                    inodes.add(inode)
    return inodes
