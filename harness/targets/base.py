"""What a target is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.core.exchange import Exchange, Request, Response
from harness.core.measurements import Setting


def quiet(line: str) -> None:
    """Progress that nobody wants to see."""


class Transport(Protocol):
    """Sends requests. One transport serves one thread, and keeps its connections."""

    def send(self, request: Request, *, timeout: float, redirects: bool = False) -> Response:
        """Send once, never again: whoever asks decides whether a request may be repeated.

        Raises OSError (ConnectionRefusedError, TimeoutError, ...) when no answer came.
        """

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Stage:
    """A placement that has been made ready for one suite of upstream's.

    ``url`` is where its relative URLs lead, ``environ`` what it finds under $ENVIRON. ``sent``
    turns the headers of its tests into those that go over the wire. ``transport`` is None where
    the target's own one leads there.
    """

    url: str
    environ: Mapping[str, str]
    sent: Callable[[Mapping[str, str]], Mapping[str, str]]
    transport: Transport | None = None


class Target(Protocol):
    """Whatever answers requests: a stack, placement in this process, or a URL.

    The process that owns the run calls ``start`` and ``stop``. With xdist that is the controller;
    ``share`` then gives what a worker's ``attach`` (a function of each implementation's module)
    needs to speak to the same thing, as JSON-able data. A target that every process has to have
    for itself says so with an attribute ``per_process``, and is not started by the controller. One
    that can run upstream's suites has a method ``stage(fixture)``, a context manager that gives a
    Stage. One that has parts to measure has a method ``measure()``, which gives Measures.
    """

    name: str

    @property
    def url(self) -> str:
        """placement's address, without a trailing slash, e.g. http://127.0.0.1:8778/placement."""

    @property
    def replicas(self) -> tuple[str, ...]:
        """The numbers of the replicas, of which each must answer; empty where there are none."""

    def start(self) -> None:
        """Bring it up, in a thread that is not the main one; raise HarnessError when that fails.

        ``cancel``, called from the main thread, makes it end soon.
        """

    def cancel(self) -> None: ...

    def stop(self) -> None: ...

    def share(self, worker: int) -> Mapping[str, object]:
        """What the worker of this number, from 0, has to know."""

    def token(self) -> str:
        """A valid token of a user who may do everything; fetched when first asked for."""

    def transport(self, *, verify: bool = True) -> Transport: ...

    def settings(self) -> Sequence[Setting]:
        """What the header says of this target, versions included."""

    def check(self) -> None:
        """Raise StackError when the target has broken, at once; called between tests: cheap."""

    def explain(self, exchange: Exchange) -> Mapping[str, Sequence[str]]:
        """Log lines of this one exchange, by source, e.g. {'apache': [...], 'replica 2': [...]}."""

    def shell_token(self) -> str | None:
        """Shell commands that set TOKEN to a valid token; None where curl cannot get there.

        A failed test shows them above its curl line.
        """
