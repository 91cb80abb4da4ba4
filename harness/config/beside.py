"""The plan of a second stack beside a run's own target."""

import secrets
from dataclasses import fields, replace

from harness.config.plan import SHARED_STACK, Plan

# Another placement beside the run's own, e.g. placement=15.0.0.
OTHER_PLACEMENT = "placement="
REFERENCE = "reference"


def second_stack(plan: Plan, name: str) -> Plan:
    """A fresh stack, planned as the run's but for what ``name`` says.

    ``name`` is stack, reference, or placement=SPEC. One replica is enough: whether replicas answer
    the same is a question to the run's own stack.
    """
    # A plan that is resolved already says of which images its own stack is.
    plan = Plan(**{each.name: getattr(plan, each.name) for each in fields(Plan)})
    placements = plan.placements
    sources = {**plan.sources, "replicas": "default", "stack_port": "default"}
    if name.startswith(OTHER_PLACEMENT):
        placements = (name.removeprefix(OTHER_PLACEMENT),)
        sources["placement"] = "option"
    alone = name == REFERENCE
    return replace(
        plan,
        target=REFERENCE if alone else "stack",
        replicas=0 if alone else 1,
        reference=alone,
        lifetime="fresh",
        name=f"{SHARED_STACK}-{secrets.token_hex(3)}",
        port=0,
        placements=placements,
        release="",
        sources=sources,
    )
