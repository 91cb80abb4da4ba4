"""The connection between suites and the target, which is made when the run begins."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.core.errors import UsageError
from harness.core.exchange import Exchange, Request, Response
from harness.targets.base import PerProcess, Stage, Staged, Target, Transport
from harness.upstream.fixture_data import Fixture

Publish = Callable[[Exchange], Exchange]


@dataclass(frozen=True, slots=True)
class Address:
    """The address that relative URLs of suites are resolved against."""

    host: str
    port: int | None
    prefix: str
    tls: bool

    @classmethod
    def of(cls, url: str) -> "Address":
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        return cls(parts.hostname or "", parts.port, parts.path.rstrip("/"), tls)


class Wire:
    """Carries requests to the target, and publishes each exchange.

    Suites are collected before there is a target, so ``connect`` is called later. One thread uses
    a Wire.
    """

    def __init__(self) -> None:
        self._target: Target | None = None
        self._publish: Publish = _unpublished
        self._transports: dict[bool, Transport] = {}
        self._stage: Stage | None = None
        # Values of $ENVIRON in tests of this target.
        self._variables: Mapping[str, str] | None = None
        # What a project's own fixtures have put there, for the suite that is running.
        self.fixture_variables: Mapping[str, str] = {}
        self.address = Address("", None, "", tls=False)
        self.last: Exchange | None = None

    def connect(self, target: Target, publish: Publish) -> None:
        self._target = target
        self._variables = None
        self._publish = publish
        self.address = Address.of(target.url)

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()
        self._transports.clear()

    @property
    def in_process(self) -> bool:
        """Whether the target has no address on the network."""
        return isinstance(self._target, PerProcess)

    @contextmanager
    def staged(self, fixture: Fixture) -> Iterator[None]:
        """Let requests go to a placement in the state that this fixture sets up."""
        target = self._target
        if target is None or not isinstance(target, Staged):
            raise UsageError(
                f"{fixture.name} needs an empty placement, which this target does not give.",
                "Run placement's own suites with --target stack or embedded.",
            )
        environment = Environment()
        with target.stage(fixture) as self._stage:
            assert self._stage is not None  # noqa: S101
            environment.set(self._stage.environ)
            self.address = Address.of(self._stage.url)
            try:
                yield
            finally:
                environment.restore()
                self._stage = None
                self.address = Address.of(target.url)

    @contextmanager
    def variables(self) -> Iterator[None]:
        """Set this target's values of $ENVIRON while a test runs.

        The run has set the same values already, unless it has several targets that take turns.
        """
        if self._variables is None and self._target is not None:
            self._variables = environment(self._target)
        process_environment = Environment()
        process_environment.set(self._variables or {})
        process_environment.set(self.fixture_variables)
        process_environment.set(self._stage.environ if self._stage else {})
        try:
            yield
        finally:
            process_environment.restore()

    @property
    def url(self) -> str:
        """The address of the placement that relative URLs lead to."""
        if self._target is None:
            raise RuntimeError("no target: the run has not begun")
        return self._stage.url if self._stage else self._target.url

    @property
    def staged_variables(self) -> Mapping[str, str]:
        """The variables of the fixture with which the target has been made ready."""
        return self._stage.environ if self._stage else {}

    @contextmanager
    def keeping_variables(self) -> Iterator[None]:
        """Keep the variables that this block sets for the tests of this target alone."""
        with self.variables():
            before = dict(os.environ)
            try:
                yield
                self.fixture_variables = {
                    name: value for name, value in os.environ.items() if before.get(name) != value
                }
            finally:
                for name in os.environ.keys() - before.keys():
                    del os.environ[name]
                os.environ.update(before)

    def sent(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The headers to send in place of a test's headers."""
        return self._stage.sent(headers) if self._stage else headers

    def transport(self, verify: bool) -> Transport:
        if self._target is None:
            raise RuntimeError("no target: the run has not begun")
        if self._stage is not None and self._stage.transport is not None:
            return self._stage.transport
        if verify not in self._transports:
            self._transports[verify] = self._target.transport(verify=verify)
        return self._transports[verify]

    def exchange(
        self, suite: str, test: str, request: Request, send: Callable[[], Response]
    ) -> Response:
        """Call ``send``, publish the exchange, and keep it as ``last``.

        An OSError of ``send`` is part of the exchange, and raised again. With any other error the
        request was never sent, so there is no exchange.
        """
        self.last = None
        started, begin = time.time(), time.perf_counter()
        response: Response | None = None
        error: str | None = None
        try:
            response = send()
        except OSError as exception:
            error = f"{type(exception).__name__}: {exception}"
            raise
        finally:
            seconds = time.perf_counter() - begin
            if response is not None or error is not None:
                self.last = self._publish(
                    Exchange(suite, test, request, response, started, seconds, error, begin)
                )
        return response


def _unpublished(exchange: Exchange) -> Exchange:
    return exchange


def environment(target: Target) -> dict[str, str]:
    """Values of $ENVIRON in suites, under the names that gabbi-tempest gives them."""
    parts = urlsplit(target.url)
    return {
        "PLACEMENT_SERVICE": target.url,
        "PLACEMENT_BASE": f"{parts.scheme}://{parts.netloc}",
        "SERVICE_TOKEN": target.token(),
    }


class Environment:
    """Sets variables of this process, and restores their old values."""

    def __init__(self) -> None:
        self._before: dict[str, str | None] = {}

    def set(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            before = os.environ.get(name)
            self._before.setdefault(name, before)
            if before != value:
                os.environ[name] = value

    def restore(self) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            elif os.environ.get(name) != value:
                os.environ[name] = value
        self._before.clear()
