"""The nodes of a cluster: whether each has joined, and what one that has not says."""

from collections.abc import Mapping, Sequence

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.engine.values import Container
from harness.stack.model import containers
from harness.stack.model.state import StackState

# What a node says of itself (services/mariadb/health.sh): when it may be given requests, and when
# it has found too few others.
JOINED, WAITS = "Primary Synced ON", "waiting for the others"
ASK_SECONDS = 5.0
POLL_SECONDS = 0.3
LAST_LINES = 12


def states(state: StackState, nodes: Sequence[str]) -> Mapping[str, str]:
    """What each node says of itself, e.g. "Primary Synced ON", or why it says nothing."""
    if not nodes:
        return {}
    by_service = {container.service: container for container in containers.of_stack(state)}
    return {node: _state(by_service.get(node)) for node in nodes}


def missing(state: StackState, nodes: Sequence[str]) -> Mapping[str, str]:
    """The nodes that have not joined, and what they say."""
    return {node: word for node, word in states(state, nodes).items() if word != JOINED}


def wait(state: StackState, nodes: Sequence[str], deadline: Deadline) -> None:
    """Return when all nodes have joined. Raises StackError when one has not by then."""
    for _ in deadline.every(POLL_SECONDS):
        if not missing(state, nodes):
            return
    problem = trouble(state, nodes, deadline)
    if problem:
        raise problem


def trouble(state: StackState, nodes: Sequence[str], deadline: Deadline) -> StackError | None:
    """What to say of a cluster that has not formed; None if it has."""
    apart = missing(state, nodes)
    if not apart:
        return None
    # A node that waits for the others is not to blame, where another node does something else.
    first = next((node for node, word in apart.items() if word != WAITS), next(iter(apart)))
    words = ", ".join(f"{node} ({word})" for node, word in apart.items())
    return StackError(
        f"Galera did not form within {deadline.seconds:.0f} s. Not joined: {words}.",
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
