"""Tells the containers, networks and volumes of a stack from those of another with its name."""

from collections.abc import Sequence

from harness.core.errors import StackError
from harness.engine.command import Labels
from harness.engine.compose import PROJECT_LABEL
from harness.engine.docker import Engine
from harness.engine.values import DockerError
from harness.stack.model.hosts import Host
from harness.stack.model.state import STACK_LABEL, STATE_LABEL, StackState

OWNER = (STACK_LABEL, STATE_LABEL)


def refuse_foreign(state: StackState, hosts: Sequence[Host] | None = None) -> None:
    """Raise StackError when a Compose project with this stack's name is not this stack.

    ``hosts`` are those of the stack to come, or those that answer; by default all of the stack's.
    """
    for host in state.hosts if hosts is None else hosts:
        for name, directory in sorted(owners(host.engine, {PROJECT_LABEL: state.name})):
            if not state.is_at(directory):
                raise _foreign(state, bool(name), directory)


def has_strangers(state: StackState) -> bool:
    """Whether something in the Compose project of this name is not this stack's.

    Compose would remove it with the stack. True where that is not known.
    """
    try:
        return any(
            not state.is_at(directory)
            for engine in state.engines
            for _, directory in owners(engine, {PROJECT_LABEL: state.name})
        )
    except DockerError:
        return True


def owners(engine: Engine, labels: Labels) -> set[tuple[str, str]]:
    """Stack and state directory of all that has these labels on an engine.

    Both are "" for what is not the harness's.
    """
    return {(shown[STACK_LABEL], shown[STATE_LABEL]) for shown in engine.labels(labels, OWNER)}


def claim(state: StackState) -> None:
    """Take the stack's name on its engine, for this state directory. Raises StackError.

    A lock in a state directory cannot keep two runs with different state directories apart. The
    claim is an empty volume: the engine makes a volume of a name once, and a second attempt leaves
    the labels of the first one. The volume has the stack's labels, and goes with the stack.
    """
    engine = state.engine
    engine.claim_volume(_claim(state), {PROJECT_LABEL: state.name, **state.labels})
    for volume in engine.volumes({PROJECT_LABEL: state.name}, OWNER):
        if not state.is_at(volume.labels[STATE_LABEL]):
            raise _foreign(state, bool(volume.labels[STACK_LABEL]), volume.labels[STATE_LABEL])


def release(state: StackState) -> None:
    """Give the name back, once nothing of the stack is left. Only its owner may call this."""
    state.engine.release_volume(_claim(state))


def _claim(state: StackState) -> str:
    return f"placement-harness-name-{state.name}"


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
