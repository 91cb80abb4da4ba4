"""Brings stacks up, takes them down, and clears what others left."""

import concurrent.futures
import contextlib
import dataclasses
import socket
from collections.abc import Callable
from typing import TypeVar

from harness.errors import HarnessError, StackError
from harness.plan import Plan
from harness.stack import provision
from harness.stack.commands import disk_full, run, says_disk_full
from harness.stack.compose import STACK_LABEL, STATE_LABEL, client, words
from harness.stack.images import ensure_images
from harness.stack.stack import POLL_SECONDS, READY_SECONDS, Progress, Stack
from harness.state import Record, Secrets, StackState, all_states
from harness.timing import Deadline

T = TypeVar("T")

PREFERRED_PORT = 8778
PORT_ATTEMPTS = 3


def shielded(work: Callable[[], T]) -> T:
    """Do something whole: an interrupt in between is raised when it is done."""
    interrupt: KeyboardInterrupt | None = None
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        future = executor.submit(work)
        while True:
            try:
                result = future.result()
                break
            except KeyboardInterrupt as error:
                interrupt = error
    if interrupt:
        raise interrupt
    return result


def bring_up(plan: Plan, progress: Progress) -> Stack:
    """Start the stack that a plan asks for, or take over the one that runs; its lock is held."""
    if plan.lifetime == "fresh":
        return _start(StackState(plan.name), plan, progress)
    state = StackState(plan.name)
    lock(state)
    try:
        if plan.lifetime == "reuse":
            running = running_stack(state)
            if running is not None:
                if running.record.replicas != plan.replicas:
                    running.scale(plan.replicas, progress)
                return running
        take_down(state, progress)
        return _start(state, plan, progress)
    except BaseException:
        state.release()
        raise


def running_stack(state: StackState) -> Stack | None:
    """The stack that was left running, if it answers; None if there is none or it does not."""
    record = state.record()
    if record is None or not record.ready:
        return None
    try:
        stack = Stack(state, record, state.secrets())
        stack.token()
    except (HarnessError, OSError, KeyError):
        return None
    return stack if all(stack.asks_replica(number) is None for number in stack.replicas) else None


def leave(stack: Stack) -> None:
    """Let go of a stack that goes on running."""
    stack.unwatch()
    stack.state.release()


def take_down(state: StackState, progress: Progress) -> None:
    """Remove everything of a stack; whole, even when interrupted."""
    shielded(lambda: _remove(state, progress))


def reap(progress: Progress, *, everything: bool = False) -> list[str]:
    """Remove what runs that were killed have left, never what a live run owns.

    A fresh stack belongs to the process that holds its lock; when nobody does, it is a leftover. A
    stack that was kept is removed only with ``everything``.
    """
    removed = []
    for state in all_states():
        record = state.record()
        kept = record is not None and record.lifetime != "fresh" and record.ready
        if (kept and not everything) or not state.acquire():
            continue
        take_down(state, progress)
        removed.append(state.name)
    return removed + _reap_stateless(progress)


def _reap_stateless(progress: Progress) -> list[str]:
    """Stacks whose state is gone: somebody deleted it, so nobody can own them."""
    template = f'{{{{.Label "{STACK_LABEL}"}}}}\t{{{{.Label "{STATE_LABEL}"}}}}'
    listing = run(
        *("docker", "ps", "--all", "--filter", f"label={STACK_LABEL}", "--format", template),
        seconds=30,
    )
    removed = []
    for line in sorted(set(listing.out.splitlines())):
        name, _, directory = line.partition("\t")
        state = StackState(name)
        # Without a directory it was started by hand; with another one, by another user.
        if directory == str(state.directory) and not state.directory.exists():
            take_down(state, progress)
            removed.append(name)
    return removed


def lock(state: StackState) -> None:
    if not state.acquire():
        raise StackError(
            f"The stack {state.name} is in use by process {state.owner()}.",
            "Wait for it to end, or use --stack fresh: a fresh stack is nobody else's.",
        )


def _start(state: StackState, plan: Plan, progress: Progress) -> Stack:
    lock(state) if plan.lifetime == "fresh" else None
    try:
        _prepare(progress)
        for attempt in range(PORT_ATTEMPTS):
            try:
                return _up(state, plan, progress)
            except _PortTaken as taken:
                take_down(state, progress)
                state.acquire()
                # A port that the harness chose was free a moment ago: choose another.
                if plan.port or attempt == PORT_ATTEMPTS - 1:
                    raise taken.error from None
        raise AssertionError("unreachable")
    except BaseException:
        with contextlib.suppress(KeyboardInterrupt):
            take_down(state, progress)
        raise


def _prepare(progress: Progress) -> None:
    """What a start needs: an engine, Compose, the images; and leftovers out of the way."""
    problem = provision.engine_problem()
    if problem:
        raise problem
    if provision.find_compose() is None:
        provision.install_compose(progress)
    for state in all_states():
        record = state.record()
        if (record is None or record.lifetime == "fresh") and state.acquire():
            progress(f"removing {state.name}, left by a run that was killed")
            take_down(state, progress)
    ensure_images(progress)


class _PortTaken(Exception):
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
    except BaseException:
        # Compose must have ended before anything can be removed.
        concurrent.futures.wait([starting])
        stack.unwatch()
        raise
    finally:
        executor.shutdown()
    stack.record = dataclasses.replace(record, ready=True)
    state.save(stack.record)
    progress(f"ready after {deadline.waited:.1f} s")
    return stack


def _compose_up(state: StackState) -> None:
    from python_on_whales.exceptions import DockerException

    try:
        client(state).compose.up(detach=True, pull="never", quiet=True, no_build=True)
    except DockerException as error:
        said = words(error.stderr)
        text = "\n".join(said)
        if "port is already allocated" in text or "address already in use" in text:
            raise _PortTaken(
                StackError(
                    "Another program listens on the port that Apache was to have.",
                    "Give another with --stack-port, or none, to have a free one chosen.",
                    evidence=said[-2:],
                    service="apache",
                )
            ) from None
        if says_disk_full(text):
            raise disk_full("starting the stack", said[-5:]) from None
        raise StackError(
            "The containers could not be started.",
            "`placement-harness doctor` checks what they need.",
            evidence=said[-10:],
        ) from None


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


def _remove(state: StackState, progress: Progress) -> None:
    if state.env_file.exists() and state.record() is not None:
        progress(f"removing {state.name}")
        client(state).compose.down(volumes=True, timeout=0, remove_orphans=True, quiet=True)
    else:
        remove_labelled(state.name)
    state.remove()
    state.release()


def remove_labelled(name: str) -> None:
    """Remove containers, networks and volumes by their label alone."""
    label = f"label={STACK_LABEL}={name}"
    for listing, removal in (
        (("ps", "--all", "--quiet"), ("rm", "--force", "--volumes")),
        (("network", "ls", "--quiet"), ("network", "rm")),
        (("volume", "ls", "--quiet"), ("volume", "rm", "--force")),
    ):
        found = run("docker", *listing, "--filter", label, seconds=30).out.split()
        if found:
            run("docker", *removal, *found, seconds=120)
