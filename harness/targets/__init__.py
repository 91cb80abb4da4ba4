"""What answers requests. Adding a target is one module here and one line in ``TARGETS``."""

import importlib
from collections.abc import Mapping

from harness.config.plan import Plan
from harness.core.measurements import Progress
from harness.targets.base import Target, quiet

# Modules, not classes: a target's own libraries are imported when it is asked for.
TARGETS: Mapping[str, str] = {
    "stack": "harness.targets.stack",
    "embedded": "harness.targets.embedded",
}
REMOTE = "harness.targets.url"


def make(plan: Plan, progress: Progress = quiet) -> Target:
    """The target that a plan asks for, not started; ``progress`` gets a line for each long step.

    A target may call ``progress`` from any thread.
    """
    module = importlib.import_module(TARGETS.get(plan.target, REMOTE))
    target: Target = module.make(plan, progress)
    return target


def attach(plan: Plan, shared: Mapping[str, object]) -> Target:
    """The target that another process has started, from what its ``share`` gave."""
    module = importlib.import_module(TARGETS.get(plan.target, REMOTE))
    target: Target = module.attach(plan, shared)
    return target
