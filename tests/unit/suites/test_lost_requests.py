"""A suite of gabbits/ recovers: whichever of its requests is lost, its next run is green."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.exchange import Request, Response
from harness.core.paths import SUITES
from harness.suites import loader
from harness.suites.connection import Wire
from harness.suites.extensions import Extensions
from harness.targets.base import Transport
from harness.targets.embedded import Embedded

# Suites that are true for the placement that is installed.
SUITE_NAMES = sorted(
    path.stem for path in SUITES.glob("*.yaml") if path.stem != "overfull-before-14"
)
# Variables of gabbi that stand for earlier answers.
EARLIER_ANSWER = re.compile(r"\$(RESPONSE|HISTORY|LOCATION|HEADERS|LAST_URL|URL|COOKIE)\b")

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


class Lossy(Embedded):
    """Loses one of the requests of a run; of reads, only where a test refers to an earlier answer.

    Without such a test, the loss of a read changes nothing.
    """

    lost = sent = 0
    loses_reads = False

    def transport(self, *, verify: bool = True) -> Transport:
        return _Losing(super().transport(verify=verify), self)

    def begin(self, lost: int, *, loses_reads: bool) -> None:
        self.lost, self.sent, self.loses_reads = lost, 0, loses_reads


class _Losing:
    def __init__(self, transport: Transport, target: Lossy) -> None:
        self._transport = transport
        self._target = target

    def send(self, request: Request, *, timeout: float, redirects: bool = False) -> Response:
        if self._target.loses_reads or request.method not in ("GET", "HEAD"):
            self._target.sent += 1
            if self._target.sent == self._target.lost:
                raise ConnectionError("lost")
        return self._transport.send(request, timeout=timeout, redirects=redirects)

    def close(self) -> None:
        self._transport.close()


@pytest.fixture(scope="module")
def target() -> Iterator[Lossy]:
    target = Lossy()
    target.start()
    yield target
    target.stop()


def failures(path: Path, target: Lossy, lost: int = 0) -> list[str]:
    """Names of the tests of a suite that fail when the request of this number is lost."""
    refers = EARLIER_ANSWER.search(path.read_text()) is not None
    target.begin(lost, loses_reads=refers)
    wire = Wire()
    wire.connect(target, lambda exchange: exchange)
    failed = []
    for case in loader.load(path, Extensions(), wire):
        outcome = case.perform()
        if outcome.error is not None:
            failed.append(f"{case.test_data['name']}: {outcome.error}"[:300])
    wire.close()
    return failed


def of_default_run(suite: str) -> object:
    return suite if suite == "reshaper-reserved" else pytest.param(suite, marks=pytest.mark.long)


@pytest.mark.parametrize("suite", [*map(of_default_run, SUITE_NAMES)])
def test_the_next_run_is_green_whichever_request_was_lost(suite: str, target: Lossy) -> None:
    path = SUITES / f"{suite}.yaml"
    assert failures(path, target) == []
    stuck = {}
    for number in range(1, target.sent + 1):
        failures(path, target, lost=number)
        if after := failures(path, target):
            stuck[number] = after[0]
            # The other requests get a placement of which nothing is left.
            target.stop()
            target.start()
    assert stuck == {}


def test_a_suite_that_does_not_recover_is_found(target: Lossy, tmp_path: Path) -> None:
    """The suite makes a class and deletes it, and does not begin with the deletion."""
    path = tmp_path / "forgetful.yaml"
    path.write_text(FORGETFUL)
    assert failures(path, target) == []
    assert target.sent == 2
    assert failures(path, target, lost=2)
    (failed,) = failures(path, target)
    assert failed.startswith("a class is made: status 409")
    target.stop()
    target.start()
