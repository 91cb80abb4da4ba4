"""A suite of gabbits/ recovers: whichever of its requests is lost, its next run is green."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.paths import SUITES
from tests.fakes.lossy import LossyEmbedded, failures, stuck

# The suites that are true for the placement that is installed.
NAMES = sorted(path.stem for path in SUITES.glob("*.yaml") if path.stem != "overfull-before-14")

FORGETFUL = """
defaults:
  request_headers:
    x-auth-token: $ENVIRON['SERVICE_TOKEN']
    openstack-api-version: placement 1.39
    content-type: application/json
tests:
- name: a class is made
  POST: $ENVIRON['PLACEMENT_SERVICE']/resource_classes
  data: {name: CUSTOM_FORGETFUL}
  status: 201
- name: the class is deleted
  DELETE: $ENVIRON['PLACEMENT_SERVICE']/resource_classes/CUSTOM_FORGETFUL
  status: 204
"""


@pytest.fixture(scope="module")
def target() -> Iterator[LossyEmbedded]:
    target = LossyEmbedded()
    target.start()
    yield target
    target.stop()


def of_default_run(suite: str) -> object:
    return suite if suite == "reshaper-reserved" else pytest.param(suite, marks=pytest.mark.long)


@pytest.mark.parametrize("suite", [*map(of_default_run, NAMES)])
def test_the_next_run_is_green_whichever_request_was_lost(
    suite: str, target: LossyEmbedded
) -> None:
    assert stuck(SUITES / f"{suite}.yaml", target) == {}


def test_a_suite_that_does_not_recover_is_found(target: LossyEmbedded, tmp_path: Path) -> None:
    """The suite makes a class and deletes it, and does not begin with the deletion."""
    path = tmp_path / "forgetful.yaml"
    path.write_text(FORGETFUL)
    assert failures(path, target) == []
    assert target.losses.sent == 2
    assert failures(path, target, lost=2)
    (failed,) = failures(path, target)
    assert failed.startswith("a class is made: status 409")
    target.stop()
    target.start()
