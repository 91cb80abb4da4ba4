"""Says which program has a port that a stack needs, before anything of the stack is started."""

from collections.abc import Iterable

from harness.config.plan import name_option
from harness.core import ports
from harness.core.errors import StackError
from harness.engine.values import DockerError
from harness.stack.lifecycle.more_lanes import APACHE
from harness.stack.model import containers
from harness.stack.model.record import Record
from harness.stack.model.state import StackState

# Port of a stack that is kept, unless that is taken or another was asked for.
PREFERRED_PORT = 8778
HOW_TO_CHOOSE = (
    "Give another with --stack-port (pytest) or --port (placement-harness up), or none, to have a "
    "free one chosen."
)


def refuse(state: StackState, port: int) -> None:
    """Raise StackError when a port that was asked for is taken."""
    if not ports.is_free(port):
        raise StackError(
            f"Port {port} is taken, by {_holder(state, port)}.", HOW_TO_CHOOSE, service=APACHE
        )


def refuse_for_kept(state: StackState, record: Record) -> None:
    """Raise StackError when a kept stack has stopped, and a port of its proxy is taken by now.

    Clients of the stack know the port: another one is not chosen without a word.
    """
    if any(part.service == APACHE and part.is_running for part in containers.of_stack(state)):
        return
    for port in _ports(record):
        if not ports.is_free(port):
            raise StackError(
                f"The stack {state.name} was kept, and has stopped; port {port}, where it listens, "
                f"was taken meanwhile by {_holder(state, port)}. The stack was left as it is, with "
                "its data.",
                "End that program, and run again. Or use another stack: --stack fresh, or another "
                f"name. To remove this one with its data: placement-harness down"
                f"{name_option(state.name)}.",
                service=APACHE,
            )


def _ports(record: Record) -> Iterable[int]:
    return dict.fromkeys((record.port, *record.lanes.values()))


def _holder(state: StackState, port: int) -> str:
    """The container that publishes a port, or else the process that listens on it."""
    try:
        for container in state.engine.containers({}):
            if f":{port}->" in container.ports:
                return f"the container {container.name}"
    except DockerError:
        pass
    return ports.holder(port) or "a program of another user"
