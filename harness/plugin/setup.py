"""Adds to pytest what a run needs, once its settings are known."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import targets
from harness.config.plan import MAX_LANES, Lane, Plan, is_url
from harness.core.errors import HarnessError, UsageError
from harness.core.files import require_file
from harness.plugin import (
    _xdist_compat,
    collected,
    fixtures,
    garbage,
    parity_setup,
    run_report,
    suite_order,
)
from harness.plugin.controller import Owner
from harness.plugin.other_side import OtherSide
from harness.plugin.recorder import Recorder
from harness.plugin.releases import RELEASES, Releases
from harness.plugin.run_report import RunReport
from harness.plugin.worker import Worker
from harness.suites import extensions, items, selection
from harness.suites.connection import Wire
from harness.targets.releases import of as releases_of
from harness.upstream.fixture_data import OwnSuites

# Ways of xdist that give tests of one file to several workers.
SCATTERING = frozenset({"load", "loadgroup", "worksteal"})


def install(config: pytest.Config, plan_of: Callable[[pytest.Config], Plan]) -> None:
    """Add to pytest what a run needs. Raises pytest.UsageError for settings without sense."""
    wire = Wire()
    workerinput = getattr(config, "workerinput", None)
    worker = workerinput is not None
    report: Path | None = None
    recorder: Recorder | None = None
    try:
        plan = plan_of(config)
        if workerinput is None:
            plan, own_suites = _resolved(parity_setup.planned(config, plan))
        else:
            plan = replace(plan, **workerinput["placement_plan"])
            suites = workerinput["placement_own_suites"]
            own_suites = OwnSuites(None if suites is None else Path(suites))
        # Workers parse the same command line.
        selection.add(config, config.getoption("placement_suites") or (), own_suites)
        comparison = parity_setup.asked_for(config, plan)
        if config.getoption("placement_consistency"):
            _require_one_process(config, plan)
        if not worker:
            _refuse_full_placements(config, plan, comparison.other if comparison else None)
            plan = _with_lanes(config, plan)
            if comparison is not None and comparison.other is not None:
                _give_lanes(config, plan, comparison.other)
            report = run_report.prepare(config.getoption("placement_report"))
            recorder = _recorder(config)
        project = extensions.load(
            fixture_modules=config.getini("gabbi_fixture_modules"),
            inner_fixtures=config.getini("gabbi_inner_fixtures"),
            response_handlers=config.getini("gabbi_response_handlers"),
            content_handlers=config.getini("gabbi_content_handlers"),
            safe_yaml=config.getini("gabbi_safe_yaml"),
            empty=bool(config.getoption("placement_empty")),
        )
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    except HarnessError as error:
        # pytest would show a traceback.
        pytest.exit(f"\nERROR: {error}", returncode=error.exit_code)
    other = comparison.other if comparison else None
    run = (Worker if worker else Owner)(config, plan, wire, other)
    config.stash[fixtures.RUN] = run
    if config.getoption("placement_consistency") and isinstance(run, Owner):
        # The run looks first at what was collected: of the hooks that are to be first, pytest calls
        # the one first that is registered last. Other runs need not spend the time of the import.
        from harness.plugin.consistency import ConsistencyTests

        tests = ConsistencyTests(run, config.invocation_params.dir)
        config.pluginmanager.register(tests, "placement-consistency")
    config.pluginmanager.register(run, "placement-run")
    if comparison is not None:
        comparison.install(config, run)
    if recorder is not None and isinstance(run, Owner):
        recorder.attach(run)
        config.pluginmanager.register(recorder, "placement-recorder")
    if report is not None and isinstance(run, Owner):
        config.pluginmanager.register(RunReport(report, run, run.error), "placement-measures")
    config.pluginmanager.register(_releases(plan, workerinput), "placement-releases")
    wires = (wire, other.wire) if other else (wire,)
    config.pluginmanager.register(items.SuiteCollector(project, *wires), "placement-suites")
    order = suite_order.Order(config, targets.kind_of(plan).name)
    config.pluginmanager.register(order, "placement-order")
    config.pluginmanager.register(fixtures, "placement-fixtures")
    config.pluginmanager.register(garbage.Garbage(), "placement-garbage")
    if not worker:
        config.pluginmanager.register(collected.Count(), "placement-count")
    _keep_suites_whole(config)


def _releases(plan: Plan, workerinput: Mapping[str, Any] | None) -> Releases:
    """The plugin that leaves out suites of other releases than the target's."""
    guessed = is_url(plan.target) and not plan.release
    if workerinput is not None:
        return Releases(workerinput[RELEASES], guessed=guessed)
    return Releases(releases_of(plan), guessed=guessed)


def _require_one_process(config: pytest.Config, plan: Plan) -> None:
    """Raise UsageError where --consistency has no replicas to ask, or workers to be run by."""
    if not targets.kind_of(plan).is_cluster:
        raise UsageError(
            f"--consistency makes no sense with --target {plan.target}: it has no replicas.",
            "Run it with --target stack.",
        )
    if _xdist_compat.number_of_workers(config):
        raise UsageError(
            "--consistency and -n make no sense together: its clients are threads of one process.",
            "Leave -n away.",
        )


def _recorder(config: pytest.Config) -> Recorder | None:
    """The plugin that writes a recording, if one is asked for. Raises UsageError."""
    path = config.getoption("placement_record")
    if not path:
        return None
    recorder = Recorder(config, Path(path))
    require_file(Path(path), "--record")
    return recorder


def _resolved(plan: Plan) -> tuple[Plan, OwnSuites]:
    """The plan with what it names looked up, once for the run, and the suites of its placement.

    Raises UsageError.
    """
    if not targets.kind_of(plan).is_cluster:
        return plan, OwnSuites()
    # The import takes time, which runs on other targets need not spend.
    from harness.stack.lifecycle import reuse
    from harness.stack.resolved_plan import resolve_plan

    resolved = resolve_plan(reuse.adopted(plan), print)
    return resolved, OwnSuites(resolved.suites)


def _refuse_full_placements(config: pytest.Config, plan: Plan, other: OtherSide | None) -> None:
    """Raise UsageError for suites that need an empty placement, where one cannot be emptied."""
    plans = [("--target", plan), *([("--parity", other.plan)] if other else [])]
    full = [(option, plan) for option, plan in plans if not targets.kind_of(plan).can_be_emptied]
    empty = bool(config.getoption("placement_empty"))
    if full and selection.fixtures(selection.files(config), empty=empty):
        option, plan = full[0]
        needing = "--empty and placement's own suites need"
        raise UsageError(
            f"{needing} an empty placement, and {plan.target} is in use.",
            f"Run them with {option} {'stack or ' if option == '--target' else ''}embedded.",
        )


def _with_lanes(config: pytest.Config, plan: Plan) -> Plan:
    """The plan with a lane for each worker that runs suites, and those that upstream's suites need.

    Raises UsageError.
    """
    kind = targets.kind_of(plan)
    suites = [*selection.files(config)]
    wanted = selection.fixtures(suites, empty=bool(config.getoption("placement_empty")))
    workers = max(1, _xdist_compat.number_of_workers(config))
    # Suites in one process, and Python tests in any number, share the stack's first lane.
    if not kind.is_cluster or not (wanted or (suites and workers > 1)):
        return plan
    if workers > MAX_LANES:
        raise UsageError(
            f"-n {workers}: a stack has a lane for each worker with suites, {MAX_LANES} at most.",
            f"Give -n {MAX_LANES}, or less: each lane has replicas of its own.",
        )
    profiles = selection.profiles(wanted, lambda line: print(f"  {line}"))
    common = {name: value for profile in profiles for name, value in profile.common.items()}
    of_workers = [Lane(str(number + 1), common) for number in range(workers)]
    of_profiles = [
        Lane(profile.name, {**common, **profile.environment})
        for profile in profiles
        if profile.environment
    ]
    return replace(
        plan,
        lanes=(*of_workers, *of_profiles),
        profiles=tuple(profile.name for profile in profiles),
    )


def _give_lanes(config: pytest.Config, plan: Plan, other: OtherSide) -> None:
    """Let a second stack have the lanes that the run's own has, or would have."""
    if targets.kind_of(plan).is_cluster:
        other.plan = replace(other.plan, lanes=plan.lanes, profiles=plan.profiles)
    else:
        other.plan = _with_lanes(config, other.plan)


def _keep_suites_whole(config: pytest.Config) -> None:
    """Let xdist give all tests of a file to one worker. Raises pytest.UsageError."""
    _xdist_compat.keep_order(config)
    way = config.getoption("dist", None)
    if way not in SCATTERING:
        return
    if not _xdist_compat.is_option_given(config, "dist"):
        _xdist_compat.distribute_files(config)
    elif any(selection.files(config)):
        raise pytest.UsageError(
            f"--dist {way} can give tests of one suite to several workers, but they build upon "
            "each other. Give --dist loadfile or loadscope, or none: -n alone keeps files whole."
        )
