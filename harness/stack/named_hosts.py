"""Makes hosts of what --host names: engines that answer, each once, and their addresses."""

import ipaddress
import os
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from harness.core.errors import UsageError
from harness.engine.docker import current
from harness.engine.survey import Survey, context_address, current_address, survey
from harness.stack.model.hosts import HERE, LOOPBACK, Host, engine_of

# Schemes of engines that are on this machine, as far as can be told.
LOCAL = ("unix", "npipe", "fd")
HOW = (
    "Name the address at which the others reach it: --host NAME=ADDRESS, e.g. --host "
    "default=192.0.2.10."
)


def found(given: Sequence[str]) -> tuple[Host, ...]:
    """The hosts that were given, each as NAME or NAME=ADDRESS.

    None stand for docker's current engine, which may be on another machine. Raises UsageError for
    what makes no sense, EngineError for an engine that cannot be used.
    """
    if not given:
        return _current()
    names, addresses = zip(*map(_split, given), strict=True)
    _refuse_twice(names, names, "is given as")
    endpoints = [name if "://" in name else context_address(name) for name in names]
    with ThreadPoolExecutor(len(names) + 1) as pool:
        builder = pool.submit(survey, current(), "this machine")
        answers = [pool.submit(survey, engine_of(name), _title(name)) for name in names]
        surveys = [answer.result() for answer in answers]
        _refuse_other_machines(names, surveys, builder.result())
    _refuse_twice([survey.id for survey in surveys], names, "is the same engine as")
    if len(names) == 1 and not addresses[0] and _is_local(endpoints[0]):
        return (Host(names[0], LOOPBACK),)
    remote = [_remote(endpoint) for endpoint in endpoints]
    # This machine's own address is the one from which it reaches another host.
    peers = [address or other for address, other in zip(addresses, remote, strict=True)]
    here = next((_facing(peer) for peer in peers if peer), "")
    hosts = [
        Host(name, address or other or (here if _is_local(endpoint) else ""))
        for name, address, other, endpoint in zip(names, addresses, remote, endpoints, strict=True)
    ]
    for host in hosts:
        _check_address(host, alone=len(hosts) == 1)
    _refuse_twice([host.address for host in hosts], names, "has the address of")
    return tuple(hosts)


def _current() -> tuple[Host, ...]:
    """The host of docker's current engine."""
    try:
        address = _remote(current_address())
    except UsageError:
        # The engine's own error says more.
        return HERE
    if not address or ipaddress.ip_address(address).is_loopback:
        return HERE
    return (Host(address=address),)


def refuse_checkouts(hosts: Sequence[Host], checkouts: Sequence[str]) -> None:
    """Raise UsageError for placements whose code replicas would read from this machine's files."""
    if checkouts and (*hosts,) != HERE:
        raise UsageError(
            f"--placement {checkouts[0]} makes no sense on other hosts: a checkout's code is "
            "mounted from this machine.",
            "Build a package of it (`uv build --wheel`), and give that: --placement DIST.whl.",
        )


def _split(given: str) -> tuple[str, str]:
    """Name and address, as an IP address; empty for none."""
    name, _, address = given.partition("=")
    if not name:
        raise UsageError(f"--host {given}: the name is missing.", "Give NAME or NAME=ADDRESS.")
    if "=" in given and not address:
        raise UsageError(f"--host {given}: the address is missing.", "Give NAME or NAME=ADDRESS.")
    return name, _resolved(address, given) if address else ""


def _resolved(name: str, given: str) -> str:
    try:
        return socket.gethostbyname(name)
    except OSError as error:
        raise UsageError(
            f"--host {given}: {name} has no IPv4 address ({error.strerror or error}).",
            "Give the IPv4 address at which the host's published ports are reached.",
        ) from None


def _title(name: str) -> str:
    return f"the host {name}"


def _is_local(endpoint: str) -> bool:
    return urlsplit(endpoint).scheme in LOCAL


def _remote(endpoint: str) -> str:
    """The address of an engine that is reached over the network; empty for a local one."""
    machine = urlsplit(endpoint).hostname
    return _resolved(machine, endpoint) if machine and not _is_local(endpoint) else ""


def _facing(peer: str) -> str:
    """The address of this machine that its packets to another one have."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: the kernel only looks for the route.
            probe.connect((peer, 9))
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
        return address


def _check_address(host: Host, *, alone: bool) -> None:
    if not host.address:
        raise UsageError(f"The address of {_title(host.name)} cannot be told.", HOW)
    address = ipaddress.ip_address(host.address)
    if address.is_unspecified:
        raise UsageError(
            f"--host {host.name}={host.address} would open ports on every address of that host.",
            "Give the one address at which the other hosts reach it.",
        )
    if address.is_loopback and not alone:
        raise UsageError(
            f"The address of {_title(host.name)} is {host.address}, which other hosts cannot "
            "reach.",
            HOW,
        )


def _refuse_twice(values: Sequence[str], names: Sequence[str], what: str) -> None:
    """Raise UsageError where two hosts have the same value: a name, an engine or an address."""
    for place, value in enumerate(values):
        if value in values[:place]:
            first, second = names[values.index(value)], names[place]
            same = "is given twice" if first == second else f"{what} {first}"
            raise UsageError(
                f"--host {second} {same}.",
                "Give each engine once, with an address of its own. (Machines that were cloned "
                "share an id: remove engine-id or key.json of one, and restart its engine.)",
            )


def _refuse_other_machines(
    names: Sequence[str], surveys: Sequence[Survey], builder: Survey
) -> None:
    """Raise UsageError for a host that cannot run the images that are built here."""
    for name, its in zip(names, surveys, strict=True):
        if its.system != "linux" or its.processor != builder.processor:
            raise UsageError(
                f"The host {name} is {its.system} on {its.processor}; images are built here for "
                f"{builder.system} on {builder.processor}, and cannot run there.",
                "Leave this host out, or run the harness where docker's current engine "
                f"({os.environ.get('DOCKER_CONTEXT') or 'docker context ls'}) is of its kind.",
            )
