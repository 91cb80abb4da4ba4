"""Stacks that were left running: taken as they are, or mended."""

import dataclasses

from harness.config.plan import FIRST_LANE, ITS_OWN, Lane, Plan, counted_replicas, name_option
from harness.core.errors import HarnessError, StackError
from harness.core.measurements import Progress
from harness.core.paths import OVERRIDE
from harness.placements.model import Placement
from harness.stack import project
from harness.stack.lifecycle import mending, more_lanes
from harness.stack.lifecycle.running import RunningStack
from harness.stack.model import containers, hosts, lanes, policies
from harness.stack.model.record import Record
from harness.stack.model.state import StackState
from harness.stack.operations import breakage, code_reload, rolling
from harness.stack.resolved_plan import ResolvedPlan

# Timeout for keystone's answer to whether a stack runs. A busy machine's keystone takes seconds.
TOKEN_SECONDS = 10.0
IMAGES_CHANGED = "its images or Compose files have changed since it was started"


def take(state: StackState, plan: ResolvedPlan, progress: Progress) -> RunningStack | None:
    """The stack of this name that was left running, mended if need be; None to start a new one.

    The stack holds data of its user. A stack that differs from the plan is therefore refused, and
    only ``--stack replace`` gives None for it. Raises StackError.
    """
    record = state.record()
    if record is None or not record.ready:
        return None
    _refuse_attached(record)
    if plan.lifetime == "keep":
        raise StackError(
            f"A stack {state.name} is there already, with all that is in it.",
            "Use it with --stack reuse, or remove it before: "
            f"placement-harness down{name_option(state.name)}.",
        )
    # A process that changes replicas puts them back itself, and is not disturbed.
    with state.taking("change", waits=progress):
        stack = _taken(state, state.record() or record, plan, progress)
    if stack is None:
        return None
    differs = stack.record.replicas != plan.replicas
    if differs and (plan.asks("replicas") or not stack.record.replicas):
        rolling.scale(stack, plan.replicas, progress)
    if missing := _missing_lanes(stack.record, plan):
        more_lanes.add(stack, missing, progress)
    return stack


def _refuse_attached(record: Record) -> None:
    """Raise StackError for the replicas of a cloud, which are no stack."""
    if record.attached:
        raise StackError(
            f"{record.name} are replicas of an existing cloud, and no stack: its database, "
            "keystone and users are not the harness's.",
            "Name another stack; or send requests to the cloud: pytest --target URL. To remove the "
            f"replicas: placement-harness detach --name {record.name}.",
        )


def _taken(
    state: StackState, record: Record, plan: ResolvedPlan, progress: Progress
) -> RunningStack | None:
    _refuse_older(record, plan.contents.newest)
    difference = _difference(state, record, plan)
    if difference is not None:
        if plan.lifetime != "replace":
            raise _differs(record, difference)
        progress(f"{state.name} runs, but {difference}: starting it anew, with nothing in it")
        return None
    policies.restore(state, record)
    breakage.mend_all(state, progress)
    changed = code_reload.take_up(record, progress)
    stack = running_stack(state)
    if stack is None:
        stack = mending.mended(state, record, changed, plan, progress)
    else:
        code_reload.reload(stack, changed)
    # A restarted Apache has lost its balancer settings, and a command may have been killed.
    stack.balancer.only(stack.replicas)
    has, url = counted_replicas(stack.record.replicas), stack.record.url
    has += " and the reference" if stack.record.reference else ""
    progress(f"{state.name} runs already: {has} behind {url}")
    return stack


def _differs(record: Record, difference: str) -> StackError:
    return StackError(
        f"The stack {record.name} runs, but {difference}. It was left as it is, with its data.",
        "Run beside it with --stack fresh; or start it anew, with nothing in it: --stack replace "
        "(pytest) or --replace (placement-harness up); "
        f"or remove it: placement-harness down{name_option(record.name)}.",
    )


def adopted(plan: Plan) -> Plan:
    """A plan to use a stack that runs: settings that were not given are as the stack has them."""
    record = StackState(plan.name).record() if plan.takes_over else None
    if record is None or not record.ready:
        return plan
    # The locked release is among them without a name, where another one was named.
    specs = tuple(placement.spec for placement in record.placements)
    settings = {
        "database": ("database", record.database),
        "config_source": ("config_source", record.config_source),
        # A stack that has the reference alone gets as many as usual.
        "replicas": ("replicas", record.replicas or plan.replicas),
        "host": ("hosts", hosts.options(StackState(plan.name).hosts)),
        "reference": ("reference", plan.reference or bool(record.reference)),
        # After an upgrade that was broken off, the constraints of the new placement.
        "placement_constraints": ("constraints", record.placements[0].constraints),
        "placement": ("placements", specs if any(specs) else ()),
    }
    changes = {
        field: value
        for setting, (field, value) in settings.items()
        if not plan.asks(setting) and value != getattr(plan, field)
    }
    sources = {name: ITS_OWN for name, (field, _) in settings.items() if field in changes}
    # Types of these fields are what the record has.
    return dataclasses.replace(plan, **changes, sources={**plan.sources, **sources})  # type: ignore[arg-type]


def _refuse_older(record: Record, newest: Placement | None) -> None:
    """Raise StackError where the database was migrated beyond what is to use it."""
    if not record.schema or newest is None or record.schema in newest.schema.known:
        return
    raise StackError(
        f"The database of {record.name} has the schema {record.schema}, of placement "
        f"{' and '.join(placement.title for placement in record.placements)}, which placement "
        f"{newest.title} does not know.",
        "Run the placement that made it, or remove the stack with all that is in it: "
        f"placement-harness down{name_option(record.name)}.",
    )


def _changed_since(record: Record, plan: Plan) -> str:
    """What of images and Compose files is not as it was when the stack was started."""
    now = str(plan.override or "")
    if record.override == now:
        return IMAGES_CHANGED
    return f"it was started with {record.override or f'no {OVERRIDE}'}, not with {now or 'none'}"


def _difference(state: StackState, record: Record, plan: ResolvedPlan) -> str | None:
    """The first difference between a stack that runs and the plan; None if there is none."""
    if record.database != plan.database:
        return f"its database is {record.database}, not {plan.database}"
    if record.config_source != plan.config_source:
        return f"it is configured by {record.config_source}, not by {plan.config_source}"
    if plan.port not in (0, record.port):
        return f"it listens on port {record.port}, not on {plan.port}"
    if plan.reference and not record.reference:
        return "it has no reference beside it"
    if plan.machines != state.hosts:
        now, then = (" and ".join(host.title for host in on) for on in (plan.machines, state.hosts))
        return f"it is on {then}, not on {now}"
    if record.made_of != plan.contents.made_of:
        return _changed_since(record, plan)
    other = _other_placement(record, plan)
    if other is not None:
        return other
    missing = [lane.name for lane in plan.lanes if lane.name not in record.lanes]
    if missing and plan.profiles:
        # placement's own suites empty every lane that they use: not one with a user's data.
        return f"it has no lane {', '.join(missing)}, which placement's own suites may empty"
    if missing and record.reference:
        return f"it has no lane {', '.join(missing)}, and a reference gets no lanes later"
    started = project.load(state).get(project.LANES, {}) if plan.lanes else {}
    for lane in plan.lanes:
        is_there = lane.name in lanes.names(record)
        if is_there and started.get(lane.name, {}) != lane.environment:
            return f"its lane {lane.name} has another configuration"
    beside = [lane for lane in record.lanes if lane != FIRST_LANE]
    if beside and plan.asks("replicas") and record.replicas != plan.replicas:
        return f"its lanes have {counted_replicas(record.replicas)} each, not {plan.replicas}"
    return None


def _missing_lanes(record: Record, plan: ResolvedPlan) -> list[Lane]:
    """The lanes of a plan that a stack does not have yet."""
    return [lane for lane in plan.lanes if lane.name not in lanes.names(record)]


def _other_placement(record: Record, plan: ResolvedPlan) -> str | None:
    """The difference, if a replica of the stack runs another placement than the plan's."""
    contents = plan.contents
    wanted = [
        (contents.of(placement), code_reload.name_of(placement))
        for placement in contents.placements
    ]
    wanted = wanted or [(contents.images["placement"], "")]
    # A reference without replicas runs what replica 1 would run.
    for number in range(max(1, record.replicas, plan.replicas if plan.asks("replicas") else 0)):
        (digest, name), has = wanted[number % len(wanted)], record.placement(number + 1)
        # A release is the same by any name; two checkouts may have the same dependencies.
        if has.content == digest and (not has.code or has.spec == name):
            continue
        if has.spec == name:
            return IMAGES_CHANGED
        titles = " and ".join(dict.fromkeys(placement.title for placement in record.placements))
        planned = " and ".join(placement.title for placement in contents.placements)
        return f"it runs placement {titles}, not {planned or 'the locked release'}"
    return None


def running_stack(state: StackState, *, whole: bool = True) -> RunningStack | None:
    """The stack that was left running, if it answers; None if there is none or it does not.

    Without ``whole``, its replicas need not serve: what mends them needs the rest alone. Raises
    UnreadableError.
    """
    record = state.record()
    if record is None or not record.ready:
        return None
    _refuse_attached(record)
    stack = RunningStack(state, record, state.secrets())
    try:
        stack.token(TOKEN_SECONDS)
        if not whole or stack.whole():
            return stack
    except (HarnessError, OSError, KeyError):
        pass
    stack.close()
    return None


def not_running(state: StackState) -> StackError:
    """Why there is no running stack: it is not there, or a part of it is not."""
    record = state.record()
    parts = containers.of_stack(state) if record and record.ready else []
    if record is None or not any(container.is_running for container in parts):
        return StackError(
            f"No stack {state.name} is running.",
            f"Start one: placement-harness up --replicas 3{name_option(state.name)}.",
        )
    down = [container for container in parts if not container.is_running]
    problem = (
        f"is not whole: {', '.join(f'{part.service} ({part.state})' for part in down)}."
        if down
        else "runs, but keystone gives no token."
    )
    replica = containers.number_of(down[0]) if down else None
    service = down[0].service if down else "keystone"
    log = service if replica is None else f"--replica {replica}"
    name = name_option(state.name)
    return StackError(
        f"The stack {state.name} {problem}",
        f"See its log: placement-harness logs {log}{name}. To start the stack anew: "
        f"placement-harness up --replicas {record.replicas}{name}.",
    )
