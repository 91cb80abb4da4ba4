"""Brings stacks up."""

import concurrent.futures
import contextlib
import dataclasses
import socket

from harness.errors import HarnessError, StackError
from harness.plan import Plan
from harness.results import Progress
from harness.stack import provision
from harness.stack.commands import disk_full, run, says_disk_full
from harness.stack.compose import compose_command, words
from harness.stack.images import ensure_images
from harness.stack.removal import claim_leftovers, refuse_foreign, shielded, take_down
from harness.stack.stack import POLL_SECONDS, READY_SECONDS, Stack
from harness.state import Record, Secrets, StackState
from harness.timing import Deadline

PREFERRED_PORT = 8778
PORT_ATTEMPTS = 3
# Of Compose itself; what it starts is waited for elsewhere.
COMPOSE_SECONDS = 120.0


def bring_up(plan: Plan, progress: Progress) -> Stack:
    """Start the stack that a plan asks for, or take over the one that runs; its lock is held."""
    state = StackState(plan.name)
    state.lock()
    try:
        if plan.lifetime == "reuse":
            running = running_stack(state)
            if running is not None:
                if running.record.replicas != plan.replicas:
                    running.scale(plan.replicas, progress)
                return running
        _prepare(progress)
        refuse_foreign(state)
        return _start(state, plan, progress)
    except BaseException:
        if not state.env_file.exists():
            state.remove()
        state.release()
        raise


def running_stack(state: StackState, *, whole: bool = True) -> Stack | None:
    """The stack that was left running, if it answers; None if there is none or it does not.

    Unless ``whole`` is asked, its replicas need not serve: what mends them needs the rest alone.
    """
    record = state.record()
    if record is None or not record.ready:
        return None
    try:
        stack = Stack(state, record, state.secrets())
        stack.token()
    except (HarnessError, OSError, KeyError):
        return None
    if whole and any(stack.asks_replica(number) is not None for number in stack.replicas):
        return None
    return stack


def leave(stack: Stack) -> None:
    """Let go of a stack that goes on running."""
    stack.unwatch()
    stack.state.release()


def _start(state: StackState, plan: Plan, progress: Progress) -> Stack:
    try:
        for attempt in range(PORT_ATTEMPTS):
            # What had the name before, or came of the last attempt.
            if state.env_file.exists():
                take_down(state, progress)
                state.lock()
            try:
                return _up(state, plan, progress)
            except _PortTakenError as taken:
                # A port that the harness chose was free a moment ago: choose another.
                if plan.port or attempt == PORT_ATTEMPTS - 1:
                    raise taken.error from None
                progress("another program took the port: choosing another one")
        raise AssertionError("unreachable")
    except BaseException:
        try:
            take_down(state, progress)
        except KeyboardInterrupt:
            pass
        except HarnessError as left:
            progress(str(left))
        raise


def _prepare(progress: Progress) -> None:
    """What a start needs: an engine, Compose, the images; and leftovers out of the way."""
    provision.ensure_engine(progress)
    for state in claim_leftovers():
        progress(f"{state.name} was left by a run that was killed")
        take_down(state, progress)
    ensure_images(progress)


class _PortTakenError(Exception):
    def __init__(self, error: StackError) -> None:
        self.error = error


def _up(state: StackState, plan: Plan, progress: Progress) -> Stack:
    record = Record(
        name=state.name,
        lifetime=plan.lifetime,
        replicas=plan.replicas,
        port=plan.port or free_port(preferred=plan.lifetime != "fresh"),
    )
    stack_secrets = Secrets()
    state.create(record, stack_secrets)
    stack = Stack(state, record, stack_secrets)
    progress(f"starting {state.name}: {plan.replicas} replicas behind {record.url}")
    stack.watch()
    deadline = Deadline.after(READY_SECONDS)
    executor = concurrent.futures.ThreadPoolExecutor(1)
    starting = executor.submit(_compose_up, state)
    try:
        _wait_for_token(stack, starting, deadline)
        stack.wait_for_replicas(stack.replicas, deadline)
        starting.result()
    except BaseException as error:
        if isinstance(error, HarnessError):
            progress(error.problem)
        # Compose must have ended before anything can be removed.
        shielded(lambda: concurrent.futures.wait([starting]))
        stack.unwatch()
        raise
    finally:
        executor.shutdown()
    stack.record = dataclasses.replace(record, ready=True)
    state.save(stack.record)
    progress(f"ready after {deadline.waited:.1f} s")
    return stack


def _compose_up(state: StackState) -> None:
    # Not through python_on_whales: its import would be a tenth of the start's CPU time.
    said = run(
        *compose_command(state),
        *("up", "--detach", "--no-build", "--pull", "never", "--quiet-pull"),
        seconds=COMPOSE_SECONDS,
    )
    if said.ok:
        return
    lines = words(said.err)
    text = "\n".join(lines)
    if "port is already allocated" in text or "address already in use" in text:
        raise _PortTakenError(
            StackError(
                "Another program listens on the port that Apache was to have.",
                "Give another with --stack-port, or none, to have a free one chosen.",
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


def _wait_for_token(
    stack: Stack, starting: "concurrent.futures.Future[None]", deadline: Deadline
) -> None:
    last = "none"
    for _ in deadline.every(POLL_SECONDS):
        if starting.done():
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
