"""Asks the nodes of a Galera cluster for their states, and waits until all have joined."""

from collections.abc import Mapping, Sequence

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.engine.values import Container
from harness.stack.model import containers
from harness.stack.model.state import StackState

# States that services/mariadb/health.sh prints: the node may get requests, or it has found too few
# other nodes yet.
JOINED, WAITS = "Primary Synced ON", "waiting for the others"
ASK_SECONDS = 5.0
POLL_SECONDS = 0.3
LAST_LINES = 12


def states(state: StackState, nodes: Sequence[str]) -> Mapping[str, str]:
    """State of each node, e.g. "Primary Synced ON", or the reason why it gives none."""
    if not nodes:
        return {}
    by_service = {container.service: container for container in containers.of_stack(state)}
    return {node: _state(by_service.get(node)) for node in nodes}


def missing(state: StackState, nodes: Sequence[str]) -> Mapping[str, str]:
    """The nodes that have not joined, with their states."""
    return {node: status for node, status in states(state, nodes).items() if status != JOINED}


def wait(state: StackState, nodes: Sequence[str], deadline: Deadline) -> None:
    """Wait until all nodes have joined. Raises StackError after the deadline."""
    for _ in deadline.every(POLL_SECONDS):
        if not missing(state, nodes):
            return
    problem = trouble(state, nodes, deadline)
    if problem:
        raise problem


def trouble(state: StackState, nodes: Sequence[str], deadline: Deadline) -> StackError | None:
    """The error for a cluster that has not formed; None if it has."""
    apart = missing(state, nodes)
    if not apart:
        return None
    # Blame a node with another problem before a node that waits for the others.
    first = next((node for node, status in apart.items() if status != WAITS), next(iter(apart)))
    listed = ", ".join(f"{node} ({status})" for node, status in apart.items())
    return StackError(
        f"Galera did not form within {deadline.seconds:.0f} s. Not joined: {listed}.",
        f"The last lines of {first} are below; for all of them, keep the stack (--stack keep), "
        f"and: placement-harness logs {first}.",
        evidence=_last_lines(state, first),
        service=first,
    )


def _state(container: Container | None) -> str:
    if container is None:
        return "no container"
    outcome = container.engine.execute(container.id, "health", seconds=ASK_SECONDS)
    if not outcome.ok:
        return outcome.reason
    return (outcome.out.strip().splitlines() or ["no answer"])[-1]


def _last_lines(state: StackState, node: str) -> list[str]:
    for container in containers.of_stack(state):
        if container.service == node:
            return container.engine.last_lines(container.id, LAST_LINES)
    return []
