"""The nodes of a cluster: whether each has joined, and what one that has not says."""

from collections.abc import Mapping, Sequence

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.core.process import run
from harness.stack.clients import replica_logs

# What a node says of itself (services/mariadb/health.sh): when it may be given requests, and when
# it has found too few others.
JOINED, WAITS = "Primary Synced ON", "waiting for the others"
ASK_SECONDS = 5.0
POLL_SECONDS = 0.3
LAST_LINES = 12


def states(stack: str, nodes: Sequence[str]) -> Mapping[str, str]:
    """What each node says of itself, e.g. "Primary Synced ON", or why it says nothing."""
    return {node: _state(_container(stack, node)) for node in nodes}


def missing(stack: str, nodes: Sequence[str]) -> Mapping[str, str]:
    """The nodes that have not joined, and what they say."""
    return {node: said for node, said in states(stack, nodes).items() if said != JOINED}


def wait(stack: str, nodes: Sequence[str], deadline: Deadline) -> None:
    """Return when all nodes have joined. Raises StackError when one has not by then."""
    for _ in deadline.every(POLL_SECONDS):
        if not missing(stack, nodes):
            return
    problem = trouble(stack, nodes, deadline)
    if problem:
        raise problem


def trouble(stack: str, nodes: Sequence[str], deadline: Deadline) -> StackError | None:
    """What to say of a cluster that has not formed; None if it has."""
    left = missing(stack, nodes)
    if not left:
        return None
    # Those that wait for the others are not to blame, if there is one that does something else.
    first = next((node for node, said in left.items() if said != WAITS), next(iter(left)))
    told = ", ".join(f"{node} ({said})" for node, said in left.items())
    return StackError(
        f"Galera did not form within {deadline.seconds:.0f} s. Not joined: {told}.",
        f"The last lines of {first} are below; for all of them, keep the stack (--stack keep), "
        f"and: placement-harness logs {first}.",
        evidence=replica_logs.last_lines(_container(stack, first), LAST_LINES),
        service=first,
    )


def _state(container: str) -> str:
    said = run("docker", "exec", container, "health", seconds=ASK_SECONDS)
    if not said.ok:
        return said.reason
    return (said.out.strip().splitlines() or ["no answer"])[-1]


def _container(stack: str, node: str) -> str:
    return f"{stack}-{node}-1"
