"""A running stack, as the other rooms see it: whether it is whole, and which deaths were meant."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping

import requests

from harness.core.deadline import Deadline
from harness.core.errors import StackError, UsageError
from harness.engine.compose import Up
from harness.stack import project
from harness.stack.access import Access
from harness.stack.clients import galera
from harness.stack.clients.serving import ASK_SECONDS, until_it_serves
from harness.stack.deaths import Deaths
from harness.stack.model import containers, lanes
from harness.stack.model.composing import EVERYTHING
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.settings import config_sources, reference
from harness.stack.settings.databases import DATABASES

# Services of every stack. A stack in which one has ended is broken, though it may go on answering.
SERVICES = frozenset({"apache", "keystone", "memcached"})

READY_SECONDS = 60.0
# Name of a provider that does not exist. A replica that can look for it serves.
READY = "placement-harness-ready"


class Stack(Access):
    """One Compose project, up and answering.

    ``record`` says where the stack listens and how many replicas it has.
    """

    def __init__(
        self, state: StackState, record: Record, secrets: Secrets, *, token: str | None = None
    ) -> None:
        super().__init__(state, record, secrets, token=token)
        self.ready_after: float | None = None  # Seconds; None when it ran before.
        self.awaited = ""  # The part of the stack that is being waited for.
        self._deaths: Deaths | None = None

    # Deaths of its containers

    def watch(self) -> None:
        """Notice deaths of containers, until ``unwatch``."""
        if self._deaths is None:
            self._deaths = Deaths(self.state)
            self._deaths.start()

    def close(self) -> None:
        """Let go of the stack, which runs on: no death is noticed, no connection kept."""
        self.unwatch()
        self._session.close()

    def unwatch(self) -> None:
        if self._deaths is not None:
            self._deaths.stop()
            self._deaths = None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Notice deaths meanwhile, where they are not watched already. Raises StackError."""
        watched = self._deaths is not None
        self.watch()
        try:
            yield
            self.check()
        finally:
            if not watched:
                self.unwatch()

    def check(self, when: str = "during the run") -> None:
        """Raise StackError if a container has died whose death was not expected."""
        if self._deaths is not None:
            self._deaths.check(self.record, when)

    @contextlib.contextmanager
    def expecting(self, *containers: str | ReplicaId) -> Iterator[None]:
        """Let these containers die meanwhile; the death of any other still ends the run.

        Containers are services, as `placement-harness logs` names them, or replicas. Blocks may be
        nested, and other processes of the stack's owner know of them. A block lasts until the
        containers run again, or have ended for good. Raises UsageError for a container that the
        stack does not have.
        """
        names = [
            container.service if isinstance(container, ReplicaId) else container
            for container in containers
        ]
        for name in names:
            if name not in self.services:
                raise UsageError(
                    f"The stack {self.name} has no container {name}.",
                    f"It has {', '.join(sorted(self.services))}.",
                )
        with self.state.expectations.expect(names):
            yield

    @property
    def services(self) -> frozenset[str]:
        """The Compose services of the stack, each with one container."""
        replicas = {ReplicaId.first(number).service for number in self.replicas}
        beside = reference.SERVICES if self.record.reference else ()
        database = DATABASES[self.record.database]
        return SERVICES.union(database.services, self.source.services, replicas, beside)

    # Readiness

    def whole(self) -> bool:
        """Whether all services run, and all replicas and the reference serve."""
        parts = containers.of_stack(self.state)
        running = {container.service for container in parts if container.is_running}
        cluster = DATABASES[self.record.database].cluster
        if not self.services <= running or galera.missing(self.state, cluster):
            return False
        served = all(self.asks_replica(replica) is None for replica in lanes.replicas(self.record))
        return served and all(self.asks_reference(lane) is None for lane in self.record.reference)

    def asks_replica(self, replica: ReplicaId, timeout: float = ASK_SECONDS) -> str | None:
        """Ask one replica itself, in the balancer or not; None when it serves, else why not."""
        url, key = self.direct(replica.number, replica.lane)
        return self._ask(url, timeout, key)

    def asks_reference(self, lane: str, timeout: float = ASK_SECONDS) -> str | None:
        """Ask the reference; None when it serves, else why not."""
        return self._ask(f"{self.record.reference_url(lane)}/placement", timeout, {})

    def _ask(self, placement: str, timeout: float, key: Mapping[str, str]) -> str | None:
        try:
            headers = {**key, "X-Auth-Token": self.token(timeout)}
            url = f"{placement}/resource_providers?name={READY}"
            answer = self._session.get(url, headers=headers, timeout=timeout)
        except requests.RequestException as error:
            return type(error).__name__
        if answer.status_code == 401:
            self._token = None
        return None if answer.status_code == 200 else f"{answer.status_code} {answer.text[:200]}"

    def serves(self, number: int) -> bool:
        """Whether the first lane's replica of this number answers a request."""
        return self.asks_replica(ReplicaId.first(number)) is None

    def wait_for_replicas(self, numbers: range | list[int], deadline: Deadline) -> None:
        """Return when the replicas of these numbers, of each lane, have answered a request."""
        for replica in lanes.replicas(self.record):
            if replica.number in numbers:
                ask = functools.partial(self.asks_replica, replica)
                self._wait(f"replica {replica}", f"--replica {replica}", ask, deadline)

    def wait_for_reference(self, deadline: Deadline) -> None:
        """Return when the reference, if there is one, has answered a request in each lane."""
        for lane in self.record.reference:
            ask = functools.partial(self.asks_reference, lane)
            self._wait("the reference", reference.PLACEMENT, ask, deadline)

    def _wait(
        self, title: str, logs: str, ask: Callable[[float], str | None], deadline: Deadline
    ) -> None:
        self.awaited = title
        problem = until_it_serves(ask, lambda: self.check("before it served"), deadline)
        if problem is not None:
            raise StackError(
                f"{title[0].upper()}{title[1:]} did not serve within {deadline.seconds:.0f} s; "
                f"its last answer: {problem}.",
                f"See what it says: placement-harness logs {logs}.",
                service="placement",
            )

    def start_containers(self, what: Up = EVERYTHING) -> None:
        """Let Compose start what does not run, replicas with their configuration."""
        config_sources.start(self.source, self.state, project.settings(self.state), what)
