"""Targets that lose one of the requests of a suite."""

from __future__ import annotations

import re
from pathlib import Path

from harness.core.exchange import Request, Response
from harness.suites import loader
from harness.suites.connection import Wire
from harness.suites.extensions import Extensions
from harness.targets.base import Transport
from harness.targets.embedded import Embedded
from harness.targets.http import HttpTransport
from harness.targets.url import Remote

# Variables of gabbi that stand for earlier answers.
EARLIER_ANSWER = re.compile(r"\$(RESPONSE|HISTORY|LOCATION|HEADERS|LAST_URL|URL|COOKIE)\b")


class Losses:
    """Which request is lost: ``lost`` counts from 1, and 0 is none.

    Reads count only where a test refers to an earlier answer: without such a test, the loss of a
    read changes nothing.
    """

    lost = sent = 0
    loses_reads = False

    def is_next(self, method: str) -> bool:
        if not self.loses_reads and method in ("GET", "HEAD"):
            return False
        self.sent += 1
        return self.sent == self.lost


class LossyEmbedded(Embedded):
    def __init__(self) -> None:
        super().__init__()
        self.losses = Losses()

    def transport(self, *, verify: bool = True) -> Transport:
        return _Losing(super().transport(verify=verify), self.losses)


class LossyRemote(Remote):
    """A placement at a URL; the token is given, and so no credentials are looked for."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token=token)
        self.losses = Losses()

    def transport(self, *, verify: bool = True) -> Transport:
        return _Losing(HttpTransport(verify=verify), self.losses)


class _Losing:
    def __init__(self, transport: Transport, losses: Losses) -> None:
        self._transport = transport
        self._losses = losses

    def send(self, request: Request, *, timeout: float, redirects: bool = False) -> Response:
        if self._losses.is_next(request.method):
            raise ConnectionError("lost")
        return self._transport.send(request, timeout=timeout, redirects=redirects)

    def close(self) -> None:
        self._transport.close()


def failures(path: Path, target: LossyEmbedded | LossyRemote, lost: int = 0) -> list[str]:
    """Names of the tests of a suite that fail when the request of this number is lost."""
    losses = target.losses
    losses.lost, losses.sent = lost, 0
    losses.loses_reads = EARLIER_ANSWER.search(path.read_text()) is not None
    wire = Wire()
    wire.connect(target, lambda exchange: exchange)
    failed = []
    for case in loader.load(path, Extensions(), wire):
        outcome = case.perform()
        if outcome.error is not None:
            failed.append(f"{case.test_data['name']}: {outcome.error}"[:300])
    wire.close()
    return failed


def stuck(path: Path, target: LossyEmbedded | LossyRemote) -> dict[int, str]:
    """Numbers of the lost requests after which the next run fails, with its first failure."""
    assert failures(path, target) == []
    failed = {}
    for number in range(1, target.losses.sent + 1):
        failures(path, target, lost=number)
        if after := failures(path, target):
            failed[number] = after[0]
            # The other requests get a placement of which nothing is left, if it is in this process.
            target.stop()
            target.start()
    return failed
