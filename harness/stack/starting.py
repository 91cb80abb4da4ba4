"""The steps of a start: containers, a token, a port."""

import concurrent.futures
import contextlib
import socket

from harness.errors import HarnessError, StackError
from harness.stack.commands import disk_full, run, says_disk_full
from harness.stack.compose import compose_command, words
from harness.stack.stack import POLL_SECONDS, Stack
from harness.state import StackState
from harness.timing import Deadline

PREFERRED_PORT = 8778
# Of Compose itself; what it starts is waited for elsewhere.
COMPOSE_SECONDS = 120.0


class PortTakenError(Exception):
    """Another program has the port that Apache was to have."""

    def __init__(self, error: StackError) -> None:
        self.error = error


def compose_up(state: StackState, *how: str) -> None:
    """Let Compose start the containers. Raises PortTakenError, BuildError, StackError."""
    # Not through python_on_whales: its import would be a tenth of the start's CPU time.
    said = run(
        *compose_command(state),
        *("up", "--detach", "--no-build", "--pull", "never", "--quiet-pull", *how),
        seconds=COMPOSE_SECONDS,
    )
    if said.ok:
        return
    lines = words(said.err)
    text = "\n".join(lines)
    if "port is already allocated" in text or "address already in use" in text:
        raise PortTakenError(
            StackError(
                "Another program listens on the port that Apache was to have.",
                "Give another with --stack-port (pytest) or --port (placement-harness up), or "
                "none, to have a free one chosen.",
                evidence=lines[-2:],
                service="apache",
            )
        )
    if says_disk_full(text):
        raise disk_full("starting the stack", lines[-5:])
    raise StackError(
        "The containers could not be started.",
        "`placement-harness doctor` checks what they need.",
        evidence=lines[-10:],
    )


def wait_for_token(
    stack: Stack, starting: "concurrent.futures.Future[None] | None", deadline: Deadline
) -> None:
    """Return when keystone gives a token, which ``starting`` may still be working on."""
    last = "none"
    for _ in deadline.every(POLL_SECONDS):
        if starting is not None and starting.done():
            starting.result()
        stack.check("while the stack was starting")
        try:
            stack.token()
            return
        except (HarnessError, OSError) as error:
            last = str(error)
    raise StackError(
        f"keystone gave no token within {deadline.seconds:.0f} s; its last answer: {last}",
        "See what it says: placement-harness logs keystone.",
        service="keystone",
    )


def free_port(*, preferred: bool = False) -> int:
    """A port of the loopback interface that nobody listens on; the usual one if that is asked."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if preferred:
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", PREFERRED_PORT))
                return PREFERRED_PORT
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
