"""Takes stacks down, and clears what others left."""

from collections.abc import Callable, Iterator, Sequence

from harness.config.plan import NAME
from harness.core.errors import StackError
from harness.core.files import clear_scratch
from harness.core.measurements import Progress
from harness.core.process import run
from harness.core.signals import shielded
from harness.engine.compose import (
    COMPOSE_SECONDS,
    PROJECT_LABEL,
    STACK_LABEL,
    STATE_LABEL,
    compose_command,
    words,
)
from harness.stack.model.state import StackState, UnreadableError, all_states

LISTINGS = (("ps", "--all"), ("network", "ls"), ("volume", "ls"))
# Of a network that cannot be removed. Containers go first, and that fails in other words.
ENDPOINTS = "has active endpoints"
REMOVALS = (("rm", "--force", "--volumes"), ("network", "rm"), ("volume", "rm", "--force"))


class NetworkLeftError(StackError):
    """The engine keeps a network, though no container is in it.

    It loses count of a network's endpoints when many containers end at once on a busy machine
    (moby issue 42119, Engine 20.10), and removes that network only after it was restarted.
    """


def take_down(state: StackState, progress: Progress) -> None:
    """Remove everything of a stack; whole, even when interrupted."""
    shielded(lambda: _remove(state, progress))


def _remove(state: StackState, progress: Progress) -> None:
    state.settle()
    try:
        if state.compose_file.exists() and _is_recorded(state):
            progress(f"removing {state.name}")
            _compose_down(state)
        else:
            remove_labelled(state)
        state.remove()
    except NetworkLeftError as left:
        # The state stays, for `reap`. Nothing runs any more, and no test is to blame.
        progress(str(left))
    state.release()


def _is_recorded(state: StackState) -> bool:
    """Whether the state says how the stack was started; labels find the stack without it, too."""
    try:
        return state.record() is not None
    except UnreadableError:
        return False


def _compose_down(state: StackState) -> None:
    down = ("down", "--volumes", "--remove-orphans", "--timeout", "0")
    said = run(*compose_command(state), *down, seconds=COMPOSE_SECONDS)
    if not said.ok:
        # compose.yaml may have changed since, or be gone: the labels are still there.
        remove_labelled(state, words(said.err)[-5:])


def remove_labelled(state: StackState, said: Sequence[str] = ()) -> bool:
    """Remove containers, networks and volumes by their labels alone; whether there were any.

    Raises StackError when something is left; ``said`` is what went wrong before.
    """
    labels = (f"label={STACK_LABEL}={state.name}", f"label={STATE_LABEL}={state.directory}")
    filters = [word for label in labels for word in ("--filter", label)]
    some = False
    failed = []
    for listing, removal in zip(LISTINGS, REMOVALS, strict=True):
        found = run("docker", *listing, "--quiet", *filters, seconds=30)
        if found.ok and found.out:
            some = True
            found = run("docker", *removal, *found.out.split(), seconds=120)
        if not found.ok:
            failed.append(found)
    if not failed:
        return some
    if all(ENDPOINTS in one.err for one in failed):
        raise NetworkLeftError(
            f"All of {state.name} is removed but its network: {failed[0].reason}.",
            "Engines lose count of these, which does no harm. Once the engine was restarted, or "
            "what is somebody else's has left it: placement-harness reap.",
        )
    raise StackError(
        f"The stack {state.name} could not be removed: {failed[0].reason}.",
        "Once docker works again: placement-harness reap.",
        evidence=said or failed[0].evidence,
    )


def reap(progress: Progress, *, everything: bool = False) -> list[str]:
    """Remove what runs that were killed have left, never what a live run owns.

    A fresh stack belongs to the process that holds its lock; without a lock the stack is a
    leftover. A stack that was kept is removed only with ``everything``. A stack that cannot be
    removed keeps no other stack from being removed; the error is raised in the end. The same holds
    for a stack with an unreadable record, which stays: it may be one that was kept.
    """
    removed = clear_scratch()
    errors: list[StackError] = []

    def remove(state: StackState) -> None:
        try:
            take_down(state, progress)
            removed.append(state.name)
        except StackError as error:
            errors.append(error)
            state.release()

    for state in claim_leftovers(errors.append, everything=everything):
        remove(state)
    for state in _stateless():
        remove(state)
    if errors:
        for name in removed:
            progress(f"removed {name}")
        for error in errors[:-1]:
            progress(str(error))
        raise errors[-1]
    return removed


def claim_leftovers(
    unreadable: Callable[[UnreadableError], object], *, everything: bool = False
) -> Iterator[StackState]:
    """The stacks that no process uses and that were not kept, each locked.

    ``unreadable`` gets the error of a stack of which is not known whether it was kept.
    """

    def left(state: StackState) -> bool:
        try:
            record = state.record()
        except UnreadableError as error:
            unreadable(error)
            return False
        return everything or record is None or record.lifetime == "fresh" or not record.ready

    for state in all_states():
        if left(state) and state.acquire(create=False):
            # Read again: whoever owned it then may have let go of it, ready, just before.
            if left(state):
                yield state
            else:
                state.release()


def _stateless() -> Iterator[StackState]:
    """Stacks without a state directory, which no process can own."""
    template = f'{{{{.Label "{STACK_LABEL}"}}}}\t{{{{.Label "{STATE_LABEL}"}}}}'
    found: set[str] = set()
    for listing in LISTINGS:
        label = ("--filter", f"label={STACK_LABEL}", "--format", template)
        found |= set(run("docker", *listing, *label, seconds=30).out.splitlines())
    for line in sorted(found):
        name, _, directory = line.partition("\t")
        # Without a directory it was started by hand; with another one, by another user.
        if not NAME.fullmatch(name) or directory != str(StackState(name).directory):
            continue
        state = StackState(name)
        if not state.directory.exists():
            yield state


def refuse_foreign(state: StackState) -> None:
    """Raise StackError when somebody else's Compose project has this stack's name."""
    for listing in LISTINGS:
        label = ("--filter", f"label={PROJECT_LABEL}={state.name}")
        template = f'{{{{.Label "{STACK_LABEL}"}}}}\t{{{{.Label "{STATE_LABEL}"}}}}'
        found = run("docker", *listing, *label, "--format", template, seconds=30)
        for line in sorted(set(found.out.splitlines())):
            ours, _, directory = line.partition("\t")
            if directory != str(state.directory):
                raise _foreign(state, bool(ours), directory)


def _foreign(state: StackState, ours: bool, directory: str) -> StackError:
    if not ours:
        what, how = "A Compose project", "it is none of the harness's"
    elif directory:
        what, how = "A stack", "PLACEMENT_HARNESS_STATE decides"
    else:
        what, how = "A stack", "`docker compose down -v` removes it"
    whose = f", which belongs to {directory}" if directory else ""
    whose = whose or (", which was started by hand" if ours else "")
    return StackError(
        f"{what} {state.name} is there already{whose}.",
        f"Leave it ({how}) and use --stack fresh, or another name: "
        "PLACEMENT_HARNESS_NAME=NAME, or --name NAME with placement-harness up.",
    )
