"""Adds, removes and restarts replicas while requests flow.

A replica is taken out of the balancer before it is changed, and put back when it serves again. An
operation that is broken off puts back the replicas that it has taken out. If it cannot, the next
run that takes the stack does so (``reuse.take``).
"""

import contextlib
from collections.abc import Callable, Iterator

from harness.config.plan import counted_replicas, name_option
from harness.core.deadline import Deadline
from harness.core.errors import HarnessError, StackError, UsageError
from harness.core.measurements import Progress
from harness.core.signals import shielded
from harness.engine.compose import Up
from harness.engine.values import DockerError
from harness.stack import project
from harness.stack.handle import Stack
from harness.stack.model import containers
from harness.stack.model.lanes import ReplicaId

# Apache's ProxyTimeout.
DRAIN_SECONDS = 60.0
# Timeouts for a replica that was just started, and for a replica that is up.
START_SECONDS, ANSWER_SECONDS = 60.0, 1.0


@contextlib.contextmanager
def out(stack: Stack, replica: int) -> Iterator[None]:
    """Take a replica out of the balancer while it is changed; put it back when it serves again.

    If the change fails or is interrupted, the replica is put back if it serves.
    """
    try:
        # The old container's death is expected, but not a death of the new one.
        with stack.expecting(ReplicaId.first(replica)):
            stack.balancer.drain(replica, Deadline.after(DRAIN_SECONDS))
            yield
        stack.wait_for_replicas([replica], Deadline.after(START_SECONDS))
        stack.balancer.enable(replica)
    except HarnessError:
        _anyhow(lambda: _put_back(stack, replica, ANSWER_SECONDS))
        raise
    except BaseException:
        # The container has been started, or was never stopped.
        _anyhow(lambda: _put_back(stack, replica, START_SECONDS))
        raise


def scale(stack: Stack, replicas: int, progress: Progress) -> None:
    """Add or remove replicas; requests under way are finished, none is refused."""
    with stack.state.changing(), stack.watching():
        stack.refresh()
        if len(stack.record.lanes) > 1:
            raise UsageError(
                f"The stack {stack.name} has lanes, of {stack.record.replicas} replicas each.",
                "Start it anew with as many as you want: placement-harness down, then "
                "pytest --stack keep --replicas N.",
            )
        before = stack.record.replicas
        progress(
            f"{stack.name} already has {counted_replicas(before)}"
            if replicas == before
            else f"{counted_replicas(before)} -> {replicas}"
        )
        try:
            for replica in range(before, replicas, -1):
                stack.balancer.drain(replica, Deadline.after(DRAIN_SECONDS))
            shielded(lambda: _set(stack, replicas))
            added = range(before + 1, replicas + 1)
            stack.wait_for_replicas(added, Deadline.after(START_SECONDS))
            stack.balancer.only(stack.replicas)
        except HarnessError:
            # A replica that does not serve is kept, so that its log can be read.
            _anyhow(lambda: stack.balancer.only(_serving(stack)))
            raise
        except BaseException:
            progress(
                f"broken off: going back to {counted_replicas(min(before, stack.record.replicas))}"
            )
            _anyhow(lambda: _undo(stack, before))
            raise


def restart_rolling(stack: Stack, progress: Progress) -> list[int]:
    """Restart the replicas one after the other; return their numbers. Raises StackError."""
    with stack.state.changing(), stack.watching():
        stack.refresh()
        alone = ", the only one: requests fail meanwhile" if stack.record.replicas == 1 else ""
        for replica in stack.replicas:
            progress(f"restarting replica {replica}{alone}")
            _restart(stack, replica)
        return [*stack.replicas]


def restart(stack: Stack, replica: int) -> None:
    """Take a replica out, restart it, and put it back when it serves. Raises StackError."""
    with stack.state.changing(), stack.watching():
        stack.refresh()
        _restart(stack, replica)


def require_another(stack: Stack) -> None:
    """Raise UsageError for a stack of one replica: nothing serves while that replica is out."""
    if stack.record.replicas == 1:
        name = name_option(stack.name)
        raise UsageError(
            f"The stack {stack.name} has one replica: while it is changed, every request fails.",
            f"Add one before, and remove it after: placement-harness scale 2{name}.",
        )


def _restart(stack: Stack, replica: int) -> None:
    stack.source.require(stack.state)
    with out(stack, replica):
        container = containers.of_replica(stack.state, ReplicaId.first(replica))
        try:
            shielded(lambda: container.engine.restart(container.id, DRAIN_SECONDS))
        except DockerError as error:
            raise StackError(
                f"Replica {replica} could not be restarted: {error.reason}.",
                "See whether its container exists: placement-harness status.",
                service="placement",
            ) from None


def _set(stack: Stack, replicas: int) -> None:
    """Start or remove containers until this many replicas run; the balancer stays as it is."""
    surplus = range(replicas + 1, stack.record.replicas + 1)
    removed = [ReplicaId.first(number) for number in surplus]
    with stack.expecting(*removed):
        stack.save(replicas=replicas)
        project.set_replicas(stack.state, stack.record)
        stack.start_containers(Up(recreate=False, remove_orphans=True))
    stack.source.forget(stack.state, removed)


def _undo(stack: Stack, before: int) -> None:
    """Remove the replicas that were added; those that were removed stay removed."""
    if stack.record.replicas > before:
        _set(stack, before)
    stack.balancer.only(stack.replicas)


def _serving(stack: Stack) -> list[int]:
    return [replica for replica in stack.replicas if stack.serves(replica)]


def _put_back(stack: Stack, replica: int, seconds: float) -> None:
    stack.wait_for_replicas([replica], Deadline.after(seconds))
    stack.balancer.enable(replica)


def _anyhow(mend: Callable[[], None]) -> None:
    """Call ``mend``, without an interruption, and ignore its errors: the first error matters."""
    with contextlib.suppress(HarnessError, OSError):
        shielded(mend)
