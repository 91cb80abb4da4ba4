"""The hosts of a stack: the machines on whose container engines it runs.

The first host has the services that all replicas share. Replicas take turns on all hosts.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.core.files import write_private
from harness.engine.docker import Engine, current
from harness.stack.model.unreadable import HostsError

LOOPBACK = "127.0.0.1"
# The file with a stack's hosts, in its directory. A stack on docker's current engine has none.
FILE = "hosts.json"


@dataclass(frozen=True, slots=True)
class Host:
    """A machine with a container engine.

    ``name`` is a docker context, or the engine's address, e.g. ssh://user@machine; empty for the
    engine that docker uses now. ``address`` is the IP address on which the host's ports are
    published, and at which other hosts and this machine reach them.
    """

    name: str = ""
    address: str = LOOPBACK

    @property
    def engine(self) -> Engine:
        return engine_of(self.name)

    @property
    def title(self) -> str:
        return self.name or "docker's current engine"


# The hosts of a stack for which none were named.
HERE = (Host(),)


@cache
def engine_of(name: str) -> Engine:
    """The engine of a context, or at an address; without a name, docker's current one."""
    if not name:
        return current()
    return Engine(host=name) if "://" in name else Engine(context=name)


def options(hosts: Sequence[Host]) -> tuple[str, ...]:
    """The values of --host for these hosts; none for docker's current engine."""
    return tuple(f"{host.name}={host.address}" for host in hosts if host.name)


def profile(place: int) -> str:
    """Compose's profile of the services on the host at this place."""
    return f"host-{place + 1}"


def write(directory: Path, hosts: Sequence[Host]) -> None:
    """Note a stack's hosts before anything is made on them."""
    path = directory / FILE
    if (*hosts,) == HERE:
        path.unlink(missing_ok=True)
    else:
        write_private(path, json.dumps([dataclasses.asdict(host) for host in hosts]))


def read(stack: str, directory: Path) -> tuple[Host, ...]:
    """The hosts of the stack with this directory. Raises HostsError."""
    path = directory / FILE
    try:
        values = json.loads(path.read_text())
        named = tuple(Host(str(value["name"]), str(value["address"])) for value in values)
    except (FileNotFoundError, NotADirectoryError):
        return HERE
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HostsError(stack, path, error) from error
    if not named:
        raise HostsError(stack, path, ValueError())
    return named


def require(stack: str, directory: Path, count: int) -> None:
    """Raise HostsError where the hosts are not as many as the stack's record says."""
    if len(read(stack, directory)) != count:
        raise HostsError(stack, directory / FILE, FileNotFoundError(2, "it is lost"))
