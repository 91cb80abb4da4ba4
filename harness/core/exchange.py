"""Plain data that every layer may use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

# Takes one line for each step of something that takes long.
Progress = Callable[[str], None]


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


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the header: what is run, and where that came from (option, ini, default, ...)."""

    name: str
    value: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """What one container has in memory: ``used`` bytes as docker counts them, and the most there
    ever were, the files' cache included; None where nobody counts that."""

    service: str
    container: str
    used: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Measures:
    """What a target costs. ``start_up`` is the seconds until it served; None when it ran before."""

    start_up: float | None
    memory: Sequence[Memory] = ()
