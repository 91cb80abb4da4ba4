"""Replicas come, go and are changed while requests flow: out of the balancer, and back again.

The balancer has all replicas in rotation that the record names. What is broken off puts back what
it has taken out; where it cannot, whoever takes the stack next does (``kept.take``).
"""

import contextlib
from collections.abc import Callable, Collection, Iterator

from harness.config.plan import counted, name_option
from harness.core.deadline import Deadline
from harness.core.errors import HarnessError, StackError, UsageError
from harness.core.measurements import Progress
from harness.core.process import run
from harness.core.signals import shielded
from harness.stack import project
from harness.stack.handle import Stack
from harness.stack.model.lanes import ReplicaId

# Apache's ProxyTimeout.
DRAIN_SECONDS = 60.0
# Of a replica that was started; and of one that has, to say that it serves.
START_SECONDS, ANSWER_SECONDS = 60.0, 1.0


def restore(stack: Stack, replicas: Collection[int]) -> None:
    """Let these have requests, and no others; from now on no replica's death is meant."""
    stack.balancer.only(replicas)
    stack.save(leaving=())


@contextlib.contextmanager
def out(stack: Stack, replica: int) -> Iterator[None]:
    """Take a replica out for what is done to it, and put it back when it serves again.

    When that fails, or is interrupted, it is put back if it serves all the same.
    """
    stack.save(leaving=(replica,))
    try:
        stack.balancer.drain(replica, Deadline.after(DRAIN_SECONDS))
        yield
        # The old one's death was meant; the new one's would not be.
        stack.check()
        stack.save(leaving=())
        stack.wait_for_replicas([replica], Deadline.after(START_SECONDS))
        stack.balancer.enable(replica)
    except HarnessError:
        _anyhow(lambda: _put_back(stack, replica, ANSWER_SECONDS))
        raise
    except BaseException:
        # It has been started, or was never stopped.
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
            f"{stack.name} already has {counted(before)}"
            if replicas == before
            else f"{counted(before)} -> {replicas}"
        )
        try:
            for replica in range(before, replicas, -1):
                stack.balancer.drain(replica, Deadline.after(DRAIN_SECONDS))
            shielded(lambda: _set(stack, replicas))
            added = range(before + 1, replicas + 1)
            stack.wait_for_replicas(added, Deadline.after(START_SECONDS))
            restore(stack, stack.replicas)
        except HarnessError:
            # What does not serve stays for a look at its log.
            _anyhow(lambda: restore(stack, _serving(stack)))
            raise
        except BaseException:
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
    """Raise UsageError where one replica is all there is: nobody serves while it is out."""
    if stack.record.replicas == 1:
        name = name_option(stack.name)
        raise UsageError(
            f"The stack {stack.name} has one replica: while it is changed, every request fails.",
            f"Add one before, and remove it after: placement-harness scale 2{name}.",
        )


def _restart(stack: Stack, replica: int) -> None:
    stack.source.require(stack.state)
    with out(stack, replica):
        container = ReplicaId.first(replica).container(stack.name)
        restarted = shielded(lambda: run("docker", "restart", container, seconds=DRAIN_SECONDS))
        if not restarted.ok:
            raise StackError(
                f"Replica {replica} could not be restarted: {restarted.reason}.",
                "See whether it is there: placement-harness status.",
                service="placement",
            )


def _set(stack: Stack, replicas: int) -> None:
    """Let so many run, in the balancer or not."""
    gone = range(replicas + 1, stack.record.replicas + 1)
    stack.save(replicas=replicas)
    project.set_replicas(stack.state, stack.record)
    stack.start_containers("--no-recreate", "--remove-orphans")
    stack.source.forget(stack.state, [ReplicaId.first(replica) for replica in gone])


def _undo(stack: Stack, before: int) -> None:
    """Remove what was added; what was removed has been."""
    if stack.record.replicas > before:
        _set(stack, before)
    restore(stack, stack.replicas)


def _serving(stack: Stack) -> list[int]:
    return [replica for replica in stack.replicas if stack.serves(replica)]


def _put_back(stack: Stack, replica: int, seconds: float) -> None:
    try:
        stack.wait_for_replicas([replica], Deadline.after(seconds))
        stack.balancer.enable(replica)
    finally:
        stack.save(leaving=())


def _anyhow(mend: Callable[[], None]) -> None:
    """Do it whole, whatever comes of it: there is an error already, which says more."""
    with contextlib.suppress(HarnessError, OSError):
        shielded(mend)
