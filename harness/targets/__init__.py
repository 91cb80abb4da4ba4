"""Targets, which answer requests: a stack, the reference beside it, placement in this process, or
a URL. No module here knows pytest.

To add a target, write a module here with functions ``make`` and ``attach``, and add a line to
``KINDS``. ``base`` says what a target has to have, and which capabilities it may have.
"""

import importlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from harness.config.plan import Plan, is_url
from harness.core.measurements import Progress
from harness.targets.base import HasStack, Target, quiet


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of target: what has to be known before a target is made.

    ``module`` is a name and no module: a target's libraries are imported when it is made.
    ``takes_stack_options``: --replicas, --database and so on make sense.
    ``is_cluster``: the run has a stack, with lanes and placements to choose.
    ``has_replicas``: its stack has replicas, whose number and configuration can be chosen.
    ``can_be_emptied``: upstream's suites, which need an empty placement, can run.
    ``name`` names the kind in pytest's cache.
    """

    name: str
    module: str
    takes_stack_options: bool = False
    is_cluster: bool = False
    has_replicas: bool = False
    can_be_emptied: bool = False


URL = Kind("url", "harness.targets.url")
# Kinds with a name for --target. A URL names itself.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "stack",
            "harness.targets.stack",
            takes_stack_options=True,
            is_cluster=True,
            has_replicas=True,
            can_be_emptied=True,
        ),
        Kind(
            "reference",
            "harness.targets.reference",
            takes_stack_options=True,
            is_cluster=True,
            can_be_emptied=True,
        ),
        Kind("embedded", "harness.targets.embedded", can_be_emptied=True),
    )
}


def kind_of(plan: Plan) -> Kind:
    """The kind of target that a plan asks for."""
    return URL if is_url(plan.target) else KINDS[plan.target]


def choices() -> Mapping[str, Collection[str]]:
    """The values that options of a run can have, by option; ``stack_options``: the targets that
    take the options of a stack; ``without_replicas``: those of them that have no replicas."""
    from harness.stack.settings.config_sources import SOURCES
    from harness.stack.settings.databases import DATABASES

    return {
        "target": KINDS,
        "stack_options": [kind.name for kind in KINDS.values() if kind.takes_stack_options],
        "without_replicas": [
            kind.name for kind in KINDS.values() if kind.is_cluster and not kind.has_replicas
        ],
        "database": DATABASES,
        "config_source": SOURCES,
    }


def make(plan: Plan, progress: Progress = quiet) -> Target:
    """The target that a plan asks for, not started; ``progress`` gets a line for each long step.

    A target may call ``progress`` from any thread.
    """
    module = importlib.import_module(kind_of(plan).module)
    target: Target = module.make(plan, progress)
    return target


def make_beside(plan: Plan, main: Target, progress: Progress = quiet) -> Target:
    """The target of a plan beside another one of the same run: a reference is in its stack."""
    if plan.target == "reference" and isinstance(main, HasStack):
        from harness.targets import reference
        from harness.targets.stack import StackTarget

        if isinstance(main, StackTarget):
            return reference.beside(main)
    return make(plan, progress)


def attach(plan: Plan, shared: Mapping[str, object]) -> Target:
    """The target that another process has started, from what its ``share`` gave."""
    module = importlib.import_module(kind_of(plan).module)
    target: Target = module.attach(plan, shared)
    return target
