"""--parity: what a run is compared with, and the plugins that compare."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness import targets
from harness.config.beside import OTHER_PLACEMENT, REFERENCE, second_stack
from harness.config.plan import Plan, is_url
from harness.config.resolve import target_named
from harness.core.errors import UsageError
from harness.core.files import require_file
from harness.parity.offline import found_recording
from harness.parity.recording import Recording
from harness.parity.rules import declared
from harness.placements.lockfile import locked_version
from harness.plugin import _xdist_compat
from harness.plugin.other_side import OtherSide
from harness.plugin.parity import ParityCheck, ParitySummary
from harness.plugin.parity_live import Live
from harness.plugin.parity_sources import Recorded, Source
from harness.plugin.run_report import PARITY_SUMMARY
from harness.plugin.session import Run


@dataclass(frozen=True)
class Comparison:
    """The other side: ``other`` is a target that is asked meanwhile, None for a recording.

    ``is_same_release`` is set where both sides run the same placement.
    """

    source: Source
    title: str
    page: Path | None
    other: OtherSide | None = None
    is_same_release: bool = True

    def install(self, config: pytest.Config, run: Run) -> None:
        """Register the plugins: tests are judged where they run, and added up by the owner."""
        kind, table = targets.kind_of(run.plan).name, declared()
        if self.is_same_release:
            table = table.of_one_release()
        is_worker = hasattr(config, "workerinput")
        if is_worker or not _xdist_compat.number_of_workers(config):
            check = ParityCheck(run, self.source, kind, table)
            config.pluginmanager.register(check, "placement-parity")
        if not is_worker:
            changes = self.other.changes if self.other is not None else tuple
            sides = kind, self.source.label
            summary = ParitySummary(sides, self.title, table, self.page, changes)
            config.pluginmanager.register(summary, PARITY_SUMMARY)


def planned(config: pytest.Config, plan: Plan) -> Plan:
    """The run's plan, with a reference in its stack where answers are compared with one."""
    if _is_in_the_runs_stack(config.getoption("placement_parity"), plan):
        return replace(plan, reference=True)
    return plan


def asked_for(config: pytest.Config, plan: Plan) -> Comparison | None:
    """The comparison that the options ask for. Raises UsageError."""
    name, page = config.getoption("placement_parity"), config.getoption("placement_parity_report")
    if name is None:
        if page is not None:
            raise UsageError(
                f"--parity-report {page} has nothing to show without a comparison.",
                "Say what to compare with: --parity devstack, or --parity RECORDING.",
            )
        return None
    path = Path(page) if page else None
    if path is not None:
        require_file(path, "--parity-report")
    is_target = name in targets.choices()["target"] or name.startswith(OTHER_PLACEMENT)
    if not is_target and not is_url(name):
        recording = Recording(found_recording(name))
        header = recording.header
        title = f"{header.target}, recorded {header.recorded}, placement {header.placement}"
        is_same = header.placement in (plan.placements or (locked_version(),))
        return Comparison(Recorded(recording), title, path, is_same_release=is_same)
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    side = OtherSide(_plan_of_other_side(name, plan), worker)
    # Two stacks need names of their own.
    label = f"other {name}" if name == targets.kind_of(plan).name else name
    source = Live(side, declared().unordered, side.kind if is_url(name) else label)
    is_same = side.plan.placements == plan.placements
    return Comparison(source, f"that of {name}, asked beside", path, side, is_same)


def _plan_of_other_side(name: str, plan: Plan) -> Plan:
    """The plan of a second target beside the run's. Raises UsageError."""
    if name.startswith(OTHER_PLACEMENT):
        return second_stack(plan, name)
    target = target_named(name, f"--parity {name}", targets.choices()["target"])
    if is_url(target) and target == plan.target:
        raise UsageError(
            f"--parity {name} compares a target with itself.",
            "Give --parity the address of another placement.",
        )
    other = replace(plan, target=target)
    if not targets.kind_of(other).is_cluster or _is_in_the_runs_stack(target, plan):
        return other
    return second_stack(plan, target)


def _is_in_the_runs_stack(target: str, plan: Plan) -> bool:
    return target == REFERENCE and targets.kind_of(plan).has_replicas
