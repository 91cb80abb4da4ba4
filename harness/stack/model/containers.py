"""Finds the containers of stacks, by their labels."""

from collections.abc import Iterable, Mapping

from harness.config.plan import FIRST_LANE
from harness.core.errors import EngineError, StackError
from harness.engine import install
from harness.engine.docker import Engine
from harness.engine.values import Container, DockerError
from harness.stack.model.lanes import SERVICE, ReplicaId
from harness.stack.model.state import STACK_LABEL, STATE_LABEL, StackState

SHOWN = (STACK_LABEL, STATE_LABEL)


def of_stack(state: StackState) -> list[Container]:
    """The containers of a stack, sorted by name, also of a stack that a user has started by hand.

    A stack of this name in another state directory is another user's: its containers are left out.
    Raises EngineError when containers cannot be listed.
    """
    hosts = {host.name and host.title: host.engine for host in state.hosts}
    containers = _listed(hosts, state.name)
    owned = [part for part in containers if state.is_at(part.labels[STATE_LABEL])]
    return owned or [part for part in containers if not part.labels[STATE_LABEL]]


def of_all_stacks(engine: Engine, host: str = "") -> list[Container]:
    """The containers of all stacks on an engine, other users' included. Raises EngineError.

    ``host`` names the engine in messages, if it is not docker's current one.
    """
    return _listed({host: engine}, None)


def of_service(state: StackState, service: str) -> Container:
    """The container of a service. Raises StackError when the stack has none."""
    for container in of_stack(state):
        if container.service == service:
            return container
    raise _missing(state, service)


def of_replicas(state: StackState, replicas: Iterable[ReplicaId]) -> list[Container]:
    """The containers of these replicas, each once. Raises StackError when one is missing."""
    containers = {number_of(container): container for container in of_stack(state)}
    numbers = dict.fromkeys(replica.number for replica in replicas)
    for number in numbers:
        if number not in containers:
            raise _missing(state, ReplicaId(FIRST_LANE, number).service)
    return [containers[number] for number in numbers]


def of_replica(state: StackState, replica: ReplicaId) -> Container:
    """The container of a replica, which replicas of its number share. Raises StackError."""
    (container,) = of_replicas(state, [replica])
    return container


def number_of(container: Container) -> int | None:
    """The number of the replicas in a container; None for a container of another service."""
    replica = ReplicaId.of_service(container.service)
    if replica is not None:
        return replica.number
    # A stack that was started by hand has one service with several containers.
    return container.number if container.service == SERVICE else None


def address(state: StackState, service: str, port: int, title: str) -> tuple[str, int]:
    """Host and port at which a port of a service is published.

    Raises StackError, in which ``title`` names the service.
    """
    try:
        container = of_service(state, service)
        place = container.address(port)
        problem = f"its container is {container.state}, and publishes no port {port}"
    except StackError as error:
        place, problem = None, error.problem.rstrip(".")
    if place is None:
        raise StackError(
            f"{title} of the stack {state.name} has no address: {problem}.",
            f"See whether it runs: placement-harness status, placement-harness logs {service}.",
            service=service,
        )
    return place


def _listed(engines: Mapping[str, Engine], stack: str | None) -> list[Container]:
    """The containers of a stack, or of all, on these engines, which messages name so."""
    containers: list[Container] = []
    for host, engine in engines.items():
        try:
            containers += engine.containers({STACK_LABEL: stack}, SHOWN)
        except DockerError as error:
            of = "" if stack is None else f" of {stack}"
            on = f" on {host}" if host else ""
            problem = None if host else install.engine_problem()
            raise problem or EngineError(
                f"The containers{of} could not be listed{on}: {error.reason}.",
                "See what is wrong: placement-harness doctor.",
            ) from None
    return sorted(containers, key=lambda container: container.name)


def _missing(state: StackState, service: str) -> StackError:
    return StackError(
        f"The stack {state.name} has no container of {service}.",
        "See which containers it has: placement-harness status.",
        service=service,
    )
