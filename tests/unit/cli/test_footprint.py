"""The command `footprint`: what it refuses before it measures an image."""

import pytest

from tests.fakes.commands import Harness, apart, commands_of
from tests.fakes.machine import Machine

_apart = pytest.fixture(autouse=True)(apart)
harness = pytest.fixture(commands_of)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--placement", "16.0.0", "--image", "x"], "--placement and --image name two images"),
        (["--max-size", "60 parsecs"], "--max-size 60 parsecs is no size"),
        (["--max-size", "0"], "--max-size 0 allows no image"),
        (["--page", "/no/such/page.html"], "--page /no/such/page.html cannot be written"),
        (["--json", "/no/such/file.json"], "--json /no/such/file.json cannot be written"),
    ],
)
def test_what_makes_no_sense_is_refused(
    harness: Harness, machine: Machine, words: list[str], problem: str
) -> None:
    said = harness("footprint", *words)
    assert said.code == 64
    assert problem in said.err
    assert machine.calls == []
