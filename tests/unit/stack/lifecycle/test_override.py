"""A user's compose.override.yaml, as a part of what a stack is made of."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.config.plan import Plan
from harness.core.errors import StackError
from harness.stack.lifecycle import up
from tests.fakes.machine import Machine
from tests.fakes.quick_engine import quick

_quick = pytest.fixture(autouse=True)(quick)


def made_of(machine: Machine, override: Path | None) -> str:
    """What the record of a stack says that was started with this file."""
    stack = up.bring_up(Plan(name="one", override=override), machine.steps.append)
    up.leave(stack)
    return stack.record.made_of


def test_a_file_that_appears_or_changes_makes_another_stack(
    machine: Machine, tmp_path: Path
) -> None:
    override = tmp_path / "compose.override.yaml"
    override.write_text("services: {}\n")
    digests = [made_of(machine, None), made_of(machine, override)]
    assert any(f"--file {override} " in call for call in machine.calls)
    override.write_text("volumes: {}\n")
    digests += [made_of(machine, override), made_of(machine, None)]
    assert len(set(digests)) == 3
    assert digests[0] == digests[3]


def test_a_stack_that_was_started_with_another_file_is_not_taken(
    machine: Machine, tmp_path: Path
) -> None:
    override = tmp_path / "compose.override.yaml"
    override.write_text("services: {}\n")
    kept = Plan(name="one", lifetime="keep", override=override)
    up.leave(up.bring_up(kept, machine.steps.append))
    plan = Plan(name="one", lifetime="reuse")
    with pytest.raises(StackError, match=f"was started with {override}, not with none"):
        up.bring_up(plan, machine.steps.append)
    override.write_text("volumes: {}\n")
    with pytest.raises(StackError, match="images or Compose files have changed since it was"):
        up.bring_up(replace(plan, override=override), machine.steps.append)
