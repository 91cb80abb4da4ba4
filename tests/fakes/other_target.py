"""A second fake target, for comparisons: it does what the variable FAKE_OTHER tells."""

from __future__ import annotations

from collections.abc import Mapping

from harness.config.plan import Plan
from harness.core.measurements import Progress
from harness.targets.base import quiet
from tests.fakes.target import Fake
from tests.fakes.target import make as make_fake


class Other(Fake):
    name = "other"
    variable = "FAKE_OTHER"
    usual_url = "http://other.example:8778/placement"


def make(plan: Plan, progress: Progress = quiet) -> Fake:
    return make_fake(plan, progress, Other)


def attach(plan: Plan, shared: Mapping[str, object]) -> Fake:
    return make(plan)
