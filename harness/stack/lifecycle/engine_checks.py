"""Checks of a container engine that answers: its address, its logs, its networks, Compose."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.core.errors import HarnessError
from harness.engine import install, refusals
from harness.engine.docker import current
from harness.engine.values import DockerError
from harness.stack import named_hosts
from harness.stack.lifecycle.findings import Finding
from harness.stack.model.hosts import HERE
from harness.stack.model.log_drivers import STACKS_DRIVER
from harness.stack.model.state import StackState

MOUNTS = Path("/proc/self/mountinfo")
# A container's own files are mounted from a directory that its id names.
OWN_CONTAINER = re.compile(r"/containers/([0-9a-f]{64})/")
BESIDE = "Run the harness on that machine; in a container there, with --network host."


def checks(hosts: Sequence[str]) -> Iterator[Finding]:
    yield from _hosts(hosts)
    yield from _place()
    yield _compose()
    yield _log_driver()
    yield _networks()


def _hosts(given: Sequence[str]) -> Iterator[Finding]:
    """A finding for each host, and for a current engine on another machine."""
    try:
        for host in named_hosts.found(given):
            if host not in HERE:
                yield Finding("host", f"{host.title}: stacks listen on {host.address} there")
    except HarnessError as error:
        yield Finding("host", error.problem, error.remedy)


def _place() -> Iterator[Finding]:
    """A finding for an engine whose loopback interface is another than this process's."""
    what = "engine's address"
    container = own_container()
    if container is None:
        return
    network = current().command.inspect(container, "{{.HostConfig.NetworkMode}}")
    if network.ok and network.out.strip() != "host":
        result = (
            f"this process runs in the container {container[:12]} of that engine: stacks listen on "
            "the loopback interface of the engine's machine, which is another"
        )
        yield Finding(what, result, BESIDE)


def own_container() -> str | None:
    """The id of the container in which this process runs; None outside of containers."""
    try:
        mount = OWN_CONTAINER.search(MOUNTS.read_text())
    except OSError:
        return None
    return mount[1] if mount else None


def _compose() -> Finding:
    what = "Compose v2"
    version = install.compose_version()
    problem = install.compose_problem(version)
    if problem is not None:
        remedy = "Run `placement-harness setup`: it installs one."
        return Finding(
            what, problem, remedy if install.can_install_compose() else install.COMPOSE_BY_HAND
        )
    # A version is printed without the engine; a listing is not.
    listing = current().command.compose((), "ls", "--quiet", seconds=30.0)
    if listing.ok:
        return Finding(what, str(version))
    problem, remedy = refusals.meaning(listing.text) or (
        f"`docker compose ls` fails: {_last_line(listing.text)}",
        "Mend what it names.",
    )
    return Finding(what, f"{version}. {problem}", remedy)


def _log_driver() -> Finding:
    what = "log driver"
    try:
        default, drivers = current().log_drivers()
    except DockerError as error:
        return Finding(what, _last_line(error.output), "See `docker info`.")
    if not drivers or STACKS_DRIVER in drivers:
        return Finding(what, f"{STACKS_DRIVER} for stacks; the engine's own is {default}")
    return Finding(
        what,
        f"the engine has no {STACKS_DRIVER}, in which a stack's logs are kept, but "
        f"{', '.join(sorted(drivers))}",
        "Give each service another `logging` in compose.override.yaml that `docker logs` can read.",
    )


def _networks() -> Finding:
    """Make a network, as a start does: nothing else shows whether addresses are left."""
    what = "networks"
    state = StackState(f"doctor-{os.getpid()}")
    made = current().command.create_network(state.name, state.labels)
    if made.ok:
        current().command.remove_network(state.name)
        return Finding(what, "there are addresses for another one")
    problem, remedy = refusals.meaning(made.text) or (
        f"`docker network create` fails: {_last_line(made.text)}",
        "Mend what it names: each stack has a network of its own.",
    )
    return Finding(what, problem, remedy)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no answer"
