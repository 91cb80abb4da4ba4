"""Takes stacks down, and removes the leftovers of killed runs."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

from harness.config.plan import NAME
from harness.core.errors import HarnessError, StackError
from harness.core.files import clear_scratch
from harness.core.measurements import Progress
from harness.core.signals import shielded
from harness.engine.compose import lines_of
from harness.engine.docker import current
from harness.engine.values import DockerError
from harness.stack.lifecycle import away
from harness.stack.lifecycle.ownership import OWNER, has_strangers, owners, release
from harness.stack.model import composing
from harness.stack.model.hosts import Host
from harness.stack.model.state import (
    STACK_LABEL,
    STATE_LABEL,
    StackState,
    all_states,
)
from harness.stack.model.unreadable import UnreadableError
from harness.stack.operations import breakage

# What docker says of a network that it does not remove, though its containers are gone.
ENDPOINTS = "has active endpoints"


class NetworkLeftError(StackError):
    """The engine keeps a network, though no container is in it.

    An engine can lose count of a network's endpoints when many containers end at once on a busy
    machine (moby issue 42119, Engine 20.10). It removes the network only after a restart.
    """


def take_down(state: StackState, progress: Progress) -> None:
    """Remove everything of a stack, even when interrupted. Raises StackError."""
    shielded(lambda: _remove(state, progress))


def _remove(state: StackState, progress: Progress) -> None:
    state.settle()
    there, gone = away.hosts_of(state)
    if gone:
        remove_labelled(state, hosts=there)
        raise away.error(state, gone)
    # The engine does not stop a container that is paused.
    with contextlib.suppress(HarnessError):
        breakage.mend_all(state, progress)
    try:
        # Compose removes by the project's name alone, which another user may have taken since.
        if state.compose_file.exists() and _is_recorded(state) and not has_strangers(state):
            progress(f"removing {state.name}")
            _compose_down(state)
            release(state)
        else:
            remove_labelled(state)
        state.remove()
    except NetworkLeftError as error:
        # The state stays for `reap`. Nothing runs any more, so that no test has failed.
        progress(str(error))
    state.release()


def _is_recorded(state: StackState) -> bool:
    """Whether the state says how the stack was started. Without that, labels find its parts."""
    try:
        return state.record() is not None
    except UnreadableError:
        return False


def _compose_down(state: StackState) -> None:
    try:
        composing.remove(state)
    except DockerError as error:
        # compose.yaml may have changed since, or be gone: the labels are still there.
        remove_labelled(state, lines_of(error.output)[-5:])


def remove_labelled(
    state: StackState, evidence: Sequence[str] = (), hosts: Sequence[Host] | None = None
) -> bool:
    """Remove containers, networks and volumes by their labels alone; whether there were any.

    ``hosts`` are those to look at, if not all of the stack. Raises StackError when something is
    left; ``evidence`` says what went wrong before.
    """
    some = False
    errors = []
    for engine in [host.engine for host in (state.hosts if hosts is None else hosts)]:
        steps = (
            (engine.containers, engine.remove_containers),
            (engine.networks, engine.remove_networks),
            (engine.volumes, engine.remove_volumes),
        )
        for listed, remove in steps:
            try:
                parts = listed({STACK_LABEL: state.name}, OWNER)
                ids = [part.id for part in parts if state.is_at(part.labels[STATE_LABEL])]
                if ids:
                    some = True
                    remove(ids)
            except DockerError as error:
                errors.append(error)
    if not errors:
        return some
    if all(ENDPOINTS in error.output for error in errors):
        raise NetworkLeftError(
            f"All of {state.name} is removed but its network: {errors[0].reason}.",
            "An engine can lose count of a network's endpoints, which does no harm. Once the "
            "engine was restarted, or other containers have left: placement-harness reap.",
        )
    raise StackError(
        f"The stack {state.name} could not be removed: {errors[0].reason}.",
        "Once docker works again: placement-harness reap.",
        evidence=evidence or errors[0].evidence,
    )


def reap(progress: Progress, *, everything: bool = False) -> list[str]:
    """Remove or mend what runs that were killed have left, never what a live run owns.

    A fresh stack belongs to the process that holds its lock; without a lock the stack is a
    leftover. A stack that was kept is removed only with ``everything``. A stack that cannot be
    removed keeps no other stack from being removed; the error is raised in the end. The same holds
    for a stack with an unreadable record, which stays: it may be one that was kept.
    """
    removed = clear_scratch()
    errors: list[HarnessError] = []

    def remove(state: StackState) -> None:
        try:
            take_down(state, progress)
            removed.append(state.name)
        except HarnessError as error:
            errors.append(error)
            state.release()

    for state in claim_leftovers(errors.append, everything=everything):
        remove(state)
    errors += _mend_kept(progress)
    try:
        for state in _stateless():
            remove(state)
    except HarnessError as error:
        errors.append(error)
    if errors:
        for name in removed:
            progress(f"removed {name}")
        for problem in errors[:-1]:
            progress(str(problem))
        raise errors[-1]
    return removed


def _mend_kept(progress: Progress) -> list[HarnessError]:
    """Mend what a killed check has left broken in stacks that were kept, and that are not used."""
    errors: list[HarnessError] = []
    for state in all_states():
        if not breakage.open_breakages(state) or not state.acquire(create=False):
            continue
        try:
            for name in breakage.mend_all(state, progress):
                progress(f"mended {name} of {state.name}")
        except HarnessError as error:
            errors.append(error)
        finally:
            state.release()
    return errors


def claim_leftovers(
    unreadable: Callable[[UnreadableError], object], *, everything: bool = False
) -> Iterator[StackState]:
    """The stacks that no process uses and that were not kept, each locked.

    ``unreadable`` gets the error of a stack of which is not known whether it was kept.
    """

    def is_leftover(state: StackState) -> bool:
        try:
            record = state.record()
        except UnreadableError as error:
            unreadable(error)
            return False
        if record is None or record.lifetime == "fresh" or not record.ready:
            return True
        # The Apache of a cloud may be sending requests to what is attached to it.
        return everything and not record.attached

    for state in all_states():
        if is_leftover(state) and state.acquire(create=False):
            # Read again: the owner may have released a stack that is ready, just before.
            if is_leftover(state):
                yield state
            else:
                state.release()


def _stateless() -> Iterator[StackState]:
    """Stacks without a state directory, which no process can own."""
    for name, directory in sorted(owners(current(), {STACK_LABEL: None})):
        # A stack without a directory was started by hand; another directory is another user's.
        if not NAME.fullmatch(name) or not StackState(name).is_at(directory):
            continue
        state = StackState(name)
        if state.is_gone():
            yield state
