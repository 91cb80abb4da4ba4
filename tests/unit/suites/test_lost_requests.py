"""A suite of gabbits/ recovers: whichever of its writes is lost, its next run is green."""

from __future__ import annotations

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

# Suites that recover from each lost write. Others do not yet: a claim that is refused, because the
# inventory before it was lost, leaves a consumer without allocations.
RECOVER = (
    *("allocations-left-consumer", "allocations-post", "authentication", "candidates"),
    "resource-classes",
)


class Lossy(Embedded):
    """Loses one of the writes of a run."""

    lost = writes = 0

    def transport(self, *, verify: bool = True) -> Transport:
        return _Losing(super().transport(verify=verify), self)

    def begin(self, lost: int) -> None:
        self.lost, self.writes = lost, 0


class _Losing:
    def __init__(self, transport: Transport, target: Lossy) -> None:
        self._transport = transport
        self._target = target

    def send(self, request: Request, *, timeout: float, redirects: bool = False) -> Response:
        if request.method not in ("GET", "HEAD"):
            self._target.writes += 1
            if self._target.writes == self._target.lost:
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
    """Names of the tests of a suite that fail when the write of this number is lost."""
    target.begin(lost)
    wire = Wire()
    wire.connect(target, lambda exchange: exchange)
    failed = []
    for case in loader.load(path, Extensions(), wire):
        outcome = case.perform()
        if outcome.error is not None:
            failed.append(f"{case.test_data['name']}: {outcome.error}"[:300])
    wire.close()
    return failed


@pytest.mark.long
@pytest.mark.parametrize("suite", RECOVER)
def test_the_next_run_is_green_whichever_write_was_lost(suite: str, target: Lossy) -> None:
    path = SUITES / f"{suite}.yaml"
    assert failures(path, target) == []
    writes, stuck = target.writes, {}
    for number in range(1, writes + 1):
        failures(path, target, lost=number)
        if after := failures(path, target):
            stuck[number] = after[0]
            # The other requests get a placement of which nothing is left.
            target.stop()
            target.start()
    assert writes
    assert stuck == {}
