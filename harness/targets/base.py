"""What a target is, and the capabilities that some targets have besides.

A capability is a Protocol: code that needs one asks ``isinstance(target, Staged)``. A target has a
capability when its class has the methods; there is no list to keep.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, runtime_checkable

from harness.core.exchange import Exchange, Request, Response
from harness.core.measurements import Measures, Setting

if TYPE_CHECKING:
    import pymysql

    from harness.stack.lifecycle.running import RunningStack
    from harness.upstream.fixture_data import Fixture


def quiet(line: str) -> None:
    """Ignore a line of progress."""


class Transport(Protocol):
    """Sends requests. One transport serves one thread, and keeps its connections."""

    def send(self, request: Request, *, timeout: float, redirects: bool = False) -> Response:
        """Send once, without retries: only the caller knows whether a request may be repeated.

        Raises OSError (ConnectionRefusedError, TimeoutError, ...) when no answer came.
        """

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Stage:
    """A placement that has been prepared for one of upstream's suites.

    ``url`` is the base of the suite's relative URLs; ``environ`` holds the values of its $ENVIRON.
    ``sent`` turns the headers of a test into those that go over the wire. ``transport`` is None
    where the target's transport leads to this placement.
    """

    url: str
    environ: Mapping[str, str]
    sent: Callable[[Mapping[str, str]], Mapping[str, str]]
    transport: Transport | None = None


class Target(Protocol):
    """The thing that answers requests: a stack, placement in this process, or a URL.

    The process that owns the run calls ``start`` and ``stop``. With xdist that is the controller;
    ``share`` then gives what a worker's ``attach`` (a function of each implementation's module)
    needs to reach the same placement, as JSON-able data.
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

        ``cancel``, called from the main thread, makes ``start`` end soon.
        """

    def cancel(self) -> None: ...

    def stop(self) -> None:
        """Take down what ``start`` brought up; nothing when nothing is up.

        When an interrupt or an error ends it early, the caller calls it again: what is not removed
        yet is removed then.
        """

    def share(self, worker: int) -> Mapping[str, object]:
        """The data with which the worker of this number, from 0, attaches."""

    def token(self) -> str:
        """A valid token of a user who may do everything; requested once."""

    def transport(self, *, verify: bool = True) -> Transport: ...

    def settings(self) -> Sequence[Setting]:
        """The target's settings for the header, versions included."""

    def check(self) -> None:
        """Raise HarnessError when the target has broken; cheap, as it is called between tests."""

    def shell_token(self) -> str | None:
        """Shell commands that set TOKEN to a valid token; None where curl cannot reach the target.

        The report of a failed test shows them above its curl line.
        """


@runtime_checkable
class Staged(Protocol):
    """A target that can prepare a placement for each of upstream's suites."""

    def stage(self, fixture: "Fixture") -> AbstractContextManager[Stage]:
        """A placement with the content and the policy of one of upstream's fixtures.

        Raises UsageError where the target cannot have that fixture.
        """


@runtime_checkable
class Measurable(Protocol):
    """A target with a start-up time and containers whose memory can be measured."""

    def measure(self) -> Measures:
        """Start-up time and memory. Raises EngineError."""


@runtime_checkable
class Explains(Protocol):
    """A target whose logs can be read."""

    def explain(self, exchange: Exchange) -> Mapping[str, Sequence[str]]:
        """Log lines of this exchange by source, e.g. {'apache': [...], 'replica 2': [...]}.

        Raises HarnessError or OSError when the logs cannot be read.
        """


@runtime_checkable
class Shared(Protocol):
    """A target that others use as well, and may change during a run."""

    @property
    def url(self) -> str: ...

    def contents(self) -> Mapping[str, str]:
        """Its contents by name, e.g. {'provider compute-1': 'generation 3'}.

        Raises OSError or TargetError when it does not answer.
        """


@runtime_checkable
class PerProcess(Protocol):
    """A target inside the process that uses it: each xdist worker starts one, the controller none.

    No network lies between a test and placement.
    """

    per_process: ClassVar[Literal[True]]


@runtime_checkable
class HasStack(Protocol):
    """A target with replicas, containers and logs to act on."""

    def running_stack(self) -> "RunningStack":
        """The stack. Raises StackError while it is not up."""


@runtime_checkable
class HasDatabase(Protocol):
    """A target whose database can be reached from outside."""

    def database(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """A new connection to placement's database, to be closed by the caller."""
