"""A plan with everything looked up that it names: its placements, and what its images contain."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from harness.config.plan import Plan
from harness.core.measurements import Progress
from harness.placements import build_context
from harness.placements.model import Placement
from harness.placements.specs import constraints_at, of_plan, resolve
from harness.stack import named_hosts
from harness.stack.images.catalogue import needed
from harness.stack.images.contents import Contents, contents_of
from harness.stack.model.hosts import HERE, Host
from harness.stack.model.state import StackState


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedPlan(Plan):
    """A plan of a stack, looked up once at the beginning of a run and passed down from there.

    What is built and what is recorded both come from ``contents``. Ports that were not given are
    chosen when the stack starts: another program may take one at any time.
    """

    contents: Contents
    # The hosts that were found behind the names.
    machines: tuple[Host, ...] = HERE

    @property
    def suites(self) -> Path | None:
        """The directory of placement's own suites; None for those of the locked release."""
        return self.contents.newest.suites if self.contents.newest else None


def resolve_plan(plan: Plan, progress: Progress) -> ResolvedPlan:
    """The plan, resolved; a plan that is resolved already stays as it is.

    A plan that takes over a stack has the placements of that stack, unless it names others. Raises
    UsageError, EngineError for a host, and UnreachableError without an index.
    """
    if isinstance(plan, ResolvedPlan):
        return plan
    machines = named_hosts.found(plan.hosts)
    placements = _placements(plan, progress)
    checkouts = [str(each.spec) for each in placements if each.kind == "checkout"]
    named_hosts.refuse_checkouts(machines, checkouts)
    for placement in placements:
        # A copy, made now: what is built is what was looked at, whatever is edited meanwhile.
        build_context.prepare(placement)
    images = needed(plan.database, plan.config_source, beside=plan.reference)
    contents = contents_of(images, placements, plan.override)
    given = {field.name: getattr(plan, field.name) for field in fields(Plan)}
    return ResolvedPlan(**given, contents=contents, machines=machines)


def _placements(plan: Plan, progress: Progress) -> Sequence[Placement]:
    record = StackState(plan.name).record() if plan.takes_over else None
    if record is None or not record.ready:
        return of_plan(plan, progress)
    if plan.asks("placement") or plan.asks("placement_constraints"):
        return of_plan(plan, progress)
    if not any(each.spec or each.constraints for each in record.placements):
        return ()
    # An upgrade that was broken off has left placements with different constraints.
    return [
        resolve(placement.spec, constraints_at(placement.constraints), progress)
        for placement in record.placements
    ]
