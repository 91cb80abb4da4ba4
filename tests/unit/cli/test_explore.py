"""The sides that `explore` compares, and what it refuses before anything is started."""

from pathlib import Path

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
        (["--parity", "embedded", "--routes"], "There is nothing to compare with."),
        (["--routes", "--microversions", "1.1,1.2"], "There is nothing to compare with."),
        (["--microversions", "1.1"], "--microversions 1.1 are not two microversions"),
        (["--microversions", "1.1,1.1"], "--microversions 1.1,1.1 are not two microversions"),
        (["--microversions", "1.1,new"], "--microversions 1.1,new are not two microversions"),
        (["--microversions", "1.1-1.1"], "--microversions 1.1-1.1 are not two microversions"),
        (["--microversions", "1.9-1.2"], "--microversions 1.9-1.2 ends before it begins"),
        (["--microversions", "every"], "--microversions every are not two microversions"),
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


@pytest.mark.parametrize("words", ["1.39,1.99", "0.9,1.1", "1.30-1.40"])
def test_a_microversion_that_placement_lacks_is_refused_with_those_it_has(
    harness: Harness, words: str
) -> None:
    said = harness("explore", "--target", "embedded", "--microversions", words)
    assert said.code == 64
    assert f"--microversions {words}: placement has none of" in said.err
    assert "but 1.0 to 1.39." in said.err


def test_a_range_ends_with_a_table_of_the_documented_changes(
    harness: Harness, tmp_path: Path
) -> None:
    said = harness(
        *("explore", "--target", "embedded", "--microversions", "1.19-1.20", "--seed", "1"),
        *("--seconds", "30", "--output", str(tmp_path / "suites")),
    )
    assert "1.20  Return 200 with provider payload from 'POST /resource_providers'" in said.out
    assert "POST /resource_providers, status (201 | 200), by 1 call" in said.out
    assert "explore: 1 of 1 documented change shown; 0 other differences" in said.out
    assert said.code == 0
    (suite,) = (tmp_path / "suites").iterdir()
    assert suite.name == "1.20-1-1.yaml"
