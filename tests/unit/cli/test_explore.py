"""The sides that `explore` compares, and what it refuses before anything is started."""

import pytest

from harness.cli.explore import plan_of
from tests.fakes.commands import Harness, apart, commands_of
from tests.fakes.machine import Machine

_apart = pytest.fixture(autouse=True)(apart)
harness = pytest.fixture(commands_of)


@pytest.mark.parametrize(
    ("target", "replicas"), [("stack", 2), ("reference", 0), ("embedded", 3), (None, 2)]
)
def test_the_number_of_replicas_goes_to_targets_that_have_some(
    target: str | None, replicas: int
) -> None:
    plan = plan_of(target, "2", ())
    assert (plan.target, plan.replicas) == (target or "stack", replicas)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "There is nothing to compare with."),
        (["--parity", "embedded", "--microversions", "1.1,1.2"], "There is nothing to compare"),
        (["--microversions", "1.1"], "--microversions 1.1 are not two microversions"),
        (["--microversions", "1.1,1.1"], "--microversions 1.1,1.1 are not two microversions"),
        (["--microversions", "1.1,new"], "--microversions 1.1,new are not two microversions"),
        (["--parity", "stack"], "--parity stack compares a target with itself"),
        (["--parity", "embeded"], "--parity embeded: there is no such target. Did you mean"),
        (["--target", "nosuch"], "--target nosuch: there is no such target"),
        *(
            (["--parity", "embedded", "--seconds", seconds], "leaves no time")
            for seconds in ("0", "-5", "nan", "inf")
        ),
        (["--parity", "embedded", "--output", __file__], "--output"),
    ],
)
def test_what_makes_no_sense_is_refused(
    harness: Harness, machine: Machine, words: list[str], problem: str
) -> None:
    said = harness("explore", *words)
    assert said.code == 64
    assert problem in said.err
    assert machine.calls == []
