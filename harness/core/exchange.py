"""Requests, responses and exchanges: plain data that every room may use."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. ``url`` is absolute; ``body`` is as it goes over the wire.

    With ``http2`` it is sent over HTTP/2, where there is a network.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    http2: bool = False


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

    ``started`` is in seconds since the epoch, ``begin`` on this process's monotonic clock,
    ``seconds`` the time until the whole answer was there. ``response`` is None when none came, and
    ``error`` then says why. ``number`` counts the requests of a test, from 1; ``worker`` is xdist's
    name of the process that sent it, empty without xdist.
    """

    suite: str
    test: str
    request: Request
    response: Response | None
    started: float
    seconds: float
    error: str | None = None
    begin: float = 0.0
    number: int = 1
    worker: str = ""

    @property
    def end(self) -> float:
        """Moment of the whole answer, on this process's monotonic clock."""
        return self.begin + self.seconds

    @property
    def replica(self) -> str | None:
        """The number of the replica that answered; None where the target does not say."""
        return self.response.headers.get("x-placement-replica") if self.response else None

    @property
    def lane(self) -> str:
        """The lane of the replica that answered; empty where it is the first or unknown."""
        return (self.replica or "").rpartition("-")[0]

    @property
    def is_of_proxy(self) -> bool:
        """Whether a proxy made the answer itself: placement's have an id, and are no pages."""
        response = self.response
        if response is None or self.request_id is not None:
            return False
        return response.headers.get("content-type", "").startswith("text/html")

    @property
    def is_closed(self) -> bool:
        """Whether the server closed the connection without an answer, or in the midst of one."""
        return (self.error or "").startswith(ConnectionResetError.__name__)

    @property
    def request_id(self) -> str | None:
        """placement's id of this request, which its log lines carry."""
        return self.response.headers.get("x-openstack-request-id") if self.response else None
