"""Requests, responses and exchanges: plain data that every room may use."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. ``url`` is absolute; ``body`` is as it goes over the wire."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response. Names of ``headers`` are in lower case, repeated ones joined by ', '."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    protocol: str = "HTTP/1.1"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response.

    ``started`` is in seconds since the epoch, ``seconds`` the time until the whole answer was
    there. ``response`` is None when none came, and ``error`` then says why.
    """

    suite: str
    test: str
    request: Request
    response: Response | None
    started: float
    seconds: float
    error: str | None = None

    @property
    def replica(self) -> str | None:
        """The number of the replica that answered; None where the target does not say."""
        return self.response.headers.get("x-placement-replica") if self.response else None

    @property
    def request_id(self) -> str | None:
        """placement's id of this request, which its log lines carry."""
        return self.response.headers.get("x-openstack-request-id") if self.response else None
