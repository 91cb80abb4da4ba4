"""Suites of gabbits/ recover on a real stack from each request that is lost."""

import pytest

from harness.core.paths import SUITES
from tests.fakes.lossy import LossyRemote, stuck
from tests.live._live import Commands, long


@pytest.mark.parametrize("suite", [long("in-use"), long("reshaper-reserved"), long("traits")])
def test_the_next_run_is_green_whichever_request_was_lost(up: Commands, suite: str) -> None:
    stack = up.stack()
    target = LossyRemote(stack.placement_url, stack.token())
    assert stuck(SUITES / f"{suite}.yaml", target) == {}
