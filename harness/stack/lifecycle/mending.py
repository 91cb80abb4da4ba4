"""Starts what has stopped, or was removed, of a stack that was kept; its data stay."""

from collections.abc import Collection

from harness.config.plan import name_option
from harness.core.deadline import Deadline
from harness.core.errors import HarnessError, StackError
from harness.core.measurements import Progress
from harness.engine import install
from harness.engine.compose import Up
from harness.stack import project
from harness.stack.clients.keystone_users import USERS
from harness.stack.images.build import ensure_images, unpack
from harness.stack.images.delivery import deliver
from harness.stack.lifecycle import taken_ports
from harness.stack.lifecycle.ownership import OWNER, refuse_foreign
from harness.stack.lifecycle.readiness import wait_until_ready
from harness.stack.lifecycle.running import RunningStack
from harness.stack.model.composing import PortTakenError
from harness.stack.model.record import Installed, Record
from harness.stack.model.state import STACK_LABEL, STATE_LABEL, StackState
from harness.stack.operations import code_reload
from harness.stack.resolved_plan import ResolvedPlan

# Timeout for what has stopped of a stack that was kept.
MENDING_SECONDS = 30.0


def mended(
    state: StackState,
    record: Record,
    changed: Collection[Installed],
    plan: ResolvedPlan,
    progress: Progress,
) -> RunningStack:
    """Start what has stopped of a stack; its data stay. What runs changed code is started anew."""
    progress(f"{state.name} is not whole: starting what has stopped")
    install.ensure_engine(progress)
    refuse_foreign(state)
    taken_ports.refuse_for_kept(state, record)
    # `docker system prune` removes what a stopped stack consists of, but for its data.
    ensure_images(plan.contents, progress)
    unpack(plan.contents)
    deliver(plan.contents, state.hosts, progress)
    _miss_data(state, progress)
    stack = RunningStack(state, record, state.secrets())
    code_reload.stop(stack, changed)
    stack.watch()
    try:
        stack.start_containers(Up(recreate=False))
        deadline = Deadline.after(MENDING_SECONDS)
        wait_until_ready(stack, None, deadline, progress)
        code_reload.loaded(changed)
    except (HarnessError, PortTakenError) as problem:
        stack.close()
        error = problem.error if isinstance(problem, PortTakenError) else problem
        whose = [placement.spec for placement in record.placements if placement.code]
        mend = (
            f"If the code of {' or '.join(whose)} is why, mend it, and run again. " if whose else ""
        )
        raise StackError(
            f"The stack {state.name} was kept, but does not serve any more: {error.problem}",
            f"{mend}Or remove it, with all that is in it, and start another one: "
            f"placement-harness down{name_option(state.name)}.",
            evidence=error.evidence,
        ) from error
    return stack


def _miss_data(state: StackState, progress: Progress) -> None:
    """Say so where the data of a stack are gone: it starts with an empty placement then."""
    declared = (project.load(state).get("volumes") or {}).values()
    wanted = {volume["name"] for volume in declared if not volume.get("external")}
    volumes = state.engine.volumes({STACK_LABEL: state.name}, OWNER)
    present = {volume.id for volume in volumes if state.is_at(volume.labels[STATE_LABEL])}
    if not wanted <= present:
        progress(
            f"the data of {state.name} are gone: its volumes were removed, e.g. by `docker system "
            "prune --volumes`. It starts empty"
        )
        (state.directory / USERS).unlink(missing_ok=True)
