"""Brings stacks up."""

import concurrent.futures

from harness.config.plan import FIRST_LANE, Lane, Plan, counted_replicas
from harness.core import memory, ports
from harness.core.deadline import Deadline
from harness.core.errors import HarnessError
from harness.core.measurements import Progress
from harness.core.signals import shielded
from harness.engine import install
from harness.placements.lockfile import locked_version
from harness.stack import project, spread
from harness.stack.handle import READY_SECONDS
from harness.stack.images.build import ensure_images
from harness.stack.images.delivery import deliver
from harness.stack.lifecycle import reuse, taken_ports
from harness.stack.lifecycle.memory_needs import needed_gib
from harness.stack.lifecycle.ownership import claim, refuse_foreign
from harness.stack.lifecycle.readiness import wait_until_ready
from harness.stack.lifecycle.running import RunningStack
from harness.stack.lifecycle.teardown import claim_leftovers, take_down
from harness.stack.model import hosts, lanes, policies
from harness.stack.model.composing import PortTakenError
from harness.stack.model.hosts import LOOPBACK
from harness.stack.model.record import Installed, Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.operations import code_reload
from harness.stack.resolved_plan import ResolvedPlan, resolve_plan
from harness.stack.settings.databases import DATABASES

PORT_ATTEMPTS = 3


def bring_up(plan: Plan, progress: Progress) -> RunningStack:
    """Start the stack that a plan asks for, or take over the one that runs; its lock is held."""
    state = StackState(plan.name)
    state.lock()
    try:
        # Raises for a record that cannot be read: what is kept under this name must not go.
        state.record()
        resolved = resolve_plan(plan, progress)
        running = reuse.take(state, resolved, progress) if plan.lifetime != "fresh" else None
        if running is not None:
            return running
        _prepare(resolved, progress)
        refuse_foreign(state, resolved.machines)
        return _start(state, resolved, progress)
    except BaseException:
        if state.is_empty():
            state.remove()
        state.release()
        raise


def leave(stack: RunningStack) -> None:
    """Let go of a stack that goes on running."""
    stack.close()
    stack.state.release()


def _start(state: StackState, plan: ResolvedPlan, progress: Progress) -> RunningStack:
    try:
        for attempt in range(PORT_ATTEMPTS):
            # Remove the stack that had the name before, or the one of the last attempt.
            if state.env_file.exists():
                take_down(state, progress)
                state.lock()
            # A removal looks where the stack may be, however far its start came.
            hosts.write(state.directory, plan.machines)
            # Names of fresh stacks are random.
            if plan.lifetime != "fresh":
                claim(state)
            try:
                return _up(state, plan, progress)
            except PortTakenError as taken:
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
        except HarnessError as error:
            progress(str(error))
        raise


def _prepare(plan: ResolvedPlan, progress: Progress) -> None:
    """Get what a start needs: an engine, Compose, the images; and leftovers out of the way."""
    install.ensure_engine(progress)
    for state in claim_leftovers(lambda error: progress(str(error))):
        progress(f"{state.name} was left by a run that was killed")
        try:
            take_down(state, progress)
        except HarnessError as error:
            # This run can go on: the stack that the engine does not remove is not its own.
            progress(str(error))
            state.release()
    ensure_images(plan.contents, progress)
    deliver(plan.contents, plan.machines, progress)
    _say_memory(plan, progress)


def _say_memory(plan: ResolvedPlan, progress: Progress) -> None:
    """Say it before the start where this machine has less memory than the stack takes."""
    needed = needed_gib(plan.replicas, len(plan.lanes))
    available = memory.available_gib()
    if available is not None and available < needed:
        progress(
            f"this stack takes about {needed:.1f} GiB of memory, and {available:.1f} are available "
            "here: fewer workers (-n) or replicas take less"
        )


def _up(state: StackState, plan: ResolvedPlan, progress: Progress) -> RunningStack:
    contents = plan.contents
    address = plan.machines[0].address
    if plan.port and address == LOOPBACK:
        taken_ports.refuse(state, plan.port)
    # Clients remember the address of a stack that is kept. On another machine, the port may be
    # taken.
    here = plan.lifetime != "fresh" and address == LOOPBACK
    preferred = taken_ports.PREFERRED_PORT if here else 0
    port = plan.port or ports.free(preferred)
    record = Record(
        name=state.name,
        lifetime=plan.lifetime,
        replicas=plan.replicas,
        port=port,
        made_of=contents.made_of,
        override=str(plan.override or ""),
        database=plan.database,
        config_source=plan.config_source,
        schema=contents.newest.schema.head if contents.newest else "",
        placements=tuple(
            code_reload.installed(state, placement, contents.of(placement))
            for placement in contents.placements
        )
        or (Installed(version=locked_version(), content=contents.images["placement"]),),
        lanes={lane.name: port if lane.name == FIRST_LANE else ports.free() for lane in plan.lanes},
        reference=_reference_ports(plan),
        address=address,
        hosts=len(plan.machines),
        first_port=spread.any_port() if len(plan.machines) > 1 else 0,
    )
    stack_secrets = Secrets()
    more = {"HARNESS_DATABASE_HOST": DATABASES[plan.database].front}
    if record.hosts > 1:
        # Replicas on other hosts reach keystone at the address for clients.
        more["HARNESS_ADDRESS_ADMIN"] = record.url
    if record.reference:
        more["HARNESS_REFERENCE_PORT"] = str(record.reference[FIRST_LANE])
    state.create(record, stack_secrets, {**contents.variables(), **more})
    policies.prepare(state, plan.lanes)
    if record.reference:
        policies.prepare(state, [Lane(lanes.of_reference(lane.name)) for lane in plan.lanes])
    project.write(state, record, plan.lanes, plan.override)
    stack = RunningStack(state, record, stack_secrets)
    beside = f" in each of {len(plan.lanes)} lanes" if len(plan.lanes) > 1 else ""
    progress(f"starting {state.name}: {_named(plan)}{beside} behind {record.url}")
    stack.watch()
    deadline = Deadline.after(READY_SECONDS)
    executor = concurrent.futures.ThreadPoolExecutor(1)
    starting = executor.submit(stack.start_containers)
    try:
        wait_until_ready(stack, starting, deadline, progress)
        starting.result()
    except BaseException as error:
        if isinstance(error, HarnessError):
            progress(error.problem)
        # Compose must have ended before anything can be removed.
        shielded(lambda: concurrent.futures.wait([starting]))
        stack.close()
        raise
    finally:
        executor.shutdown()
    stack.save(ready=True)
    code_reload.loaded(record.placements)
    stack.ready_after = deadline.waited
    progress(f"ready after {stack.ready_after:.1f} s")
    return stack


def _reference_ports(plan: ResolvedPlan) -> dict[str, int]:
    """A free port of the reference for each lane; none without a reference."""
    names = [lane.name for lane in plan.lanes] or [FIRST_LANE]
    return {name: ports.free() for name in names} if plan.reference else {}


def _named(plan: ResolvedPlan) -> str:
    """The placements that are started, in words."""
    if not plan.reference:
        return counted_replicas(plan.replicas)
    return (
        f"{counted_replicas(plan.replicas)} and the reference" if plan.replicas else "the reference"
    )
