"""A running stack: where it listens, who may speak to it, and its replicas."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import requests

from harness.config.plan import FIRST_LANE
from harness.core.deadline import Deadline
from harness.core.errors import StackError, UsageError
from harness.engine.compose import Up
from harness.engine.docker import Engine
from harness.identity.keystone import Keystone
from harness.stack import project
from harness.stack.clients import galera
from harness.stack.clients.apache_balancer import Balancer, Balancers
from harness.stack.clients.database import Schema, connect
from harness.stack.clients.keystone_users import Users
from harness.stack.clients.serving import ASK_SECONDS, until_it_serves
from harness.stack.deaths import Deaths
from harness.stack.model import containers, lanes
from harness.stack.model.composing import EVERYTHING
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.settings import config_sources, reference
from harness.stack.settings.config_sources import SOURCES, Source
from harness.stack.settings.databases import DATABASES

if TYPE_CHECKING:
    import pymysql


# Services of every stack. A stack in which one has ended is broken, though it may go on answering.
SERVICES = frozenset({"apache", "keystone", "memcached"})

READY_SECONDS = 60.0
# The provider that is asked for; there is none of that name.
READY = "placement-harness-ready"
# Timeout for a token of a stack that is up: many processes may be asking keystone at once.
TOKEN_SECONDS = 30.0


class Stack:
    """One Compose project, up and answering.

    ``record`` says where it listens and with how many replicas. The methods may be called from
    any process of the stack's owner: what they change is written to the stack's state.
    """

    def __init__(
        self, state: StackState, record: Record, secrets: Secrets, *, token: str | None = None
    ) -> None:
        self.state = state
        self.record = record
        self.ready_after: float | None = None  # Seconds; None when it ran before.
        self.awaited = ""  # What of it is not there yet, while it is waited for.
        self._secrets = secrets
        self._deaths: Deaths | None = None
        self._session = requests.Session()
        self._session.trust_env = False  # A proxy or a .netrc of the user's is for other hosts.
        self._token = token
        self._users: Users | None = None

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def engine(self) -> Engine:
        """The engine of the services that all replicas share."""
        return self.state.engine

    def engine_of(self, replica: ReplicaId) -> Engine:
        """The engine that runs a replica: the same for all, as long as a stack has one host."""
        return self.state.engine

    @property
    def identity_url(self) -> str:
        return f"{self.record.url}/identity"

    @property
    def placement_url(self) -> str:
        return f"{self.record.url}/placement"

    def url(self, lane: str = FIRST_LANE) -> str:
        """Apache's address for a lane; placement is at its root, too."""
        return self.record.lane_url(lane) if self.record.lanes else self.record.url

    @property
    def replicas(self) -> range:
        return range(1, self.record.replicas + 1)

    @property
    def source(self) -> Source:
        return SOURCES[self.record.config_source]

    def direct(self, number: int, lane: str = FIRST_LANE) -> tuple[str, dict[str, str]]:
        """Address of one replica alone, in the balancer or not, and the header that it needs."""
        return f"{self.url(lane)}/replica/{number}", {"X-Harness-Key": self._secrets.balancer_key}

    @property
    def balancer(self) -> Balancers:
        """The balancers of all lanes, as the record has them now."""
        return Balancers(
            {
                Balancer(
                    self._session, self.url(lane), self._secrets.balancer_key, lane
                ): lanes.numbers(lane, self.record.replicas)
                for lane in lanes.names(self.record)
            }
        )

    @property
    def keystone(self) -> Keystone:
        """The user admin in the project admin, and the keystone that knows it."""
        domain = {"id": "default"}
        user = {"name": "admin", "domain": domain, "password": self._secrets.admin_password}
        return Keystone(
            f"{self.identity_url}/v3",
            {"methods": ["password"], "password": {"user": user}},
            {"project": {"name": "admin", "domain": domain}},
            "the stack's admin",
        )

    def token(self, timeout: float = TOKEN_SECONDS) -> str:
        """A token of the user admin in the project admin; fetched once. Raises TargetError."""
        if self._token is None:
            self._token = self.keystone.token(timeout)
        return self._token

    @property
    def users(self) -> Users:
        """keystone's users for suites that pretend to be somebody."""
        if self._users is None:
            self._users = Users(self.state, self._secrets, self.identity_url, self.token())
        return self._users

    def schema(self, lane: str) -> Schema:
        """A lane's database, to be emptied and filled."""
        return Schema(self.database(lanes.schema(lane), several=True))

    def database(
        self, schema: str = "placement", *, several: bool = False
    ) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """A new connection to the stack's database, from outside.

        ``several`` lets it take several statements at once. Raises StackError.
        """
        front = DATABASES[self.record.database].front
        return connect(self.state, front, self._secrets.database_password, schema, several=several)

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
        names = [one.service if isinstance(one, ReplicaId) else one for one in containers]
        for name in names:
            if name not in self._services:
                raise UsageError(
                    f"The stack {self.name} has no container {name}.",
                    f"It has {', '.join(sorted(self._services))}.",
                )
        with self.state.expectations.expect(names):
            yield

    @property
    def _services(self) -> frozenset[str]:
        """The Compose services of the stack, each with one container."""
        replicas = {ReplicaId.first(number).service for number in self.replicas}
        beside = reference.SERVICES if self.record.reference else ()
        database = DATABASES[self.record.database]
        return SERVICES.union(database.services, self.source.services, replicas, beside)

    # Readiness

    def whole(self) -> bool:
        """Whether all of it runs, and every replica and the reference serve."""
        running = {one.service for one in containers.of_stack(self.state) if one.is_running}
        cluster = DATABASES[self.record.database].cluster
        if not self._services <= running or galera.missing(self.state, cluster):
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

    # What is remembered of it

    def refresh(self) -> None:
        """Take the record as another process may have left it."""
        self.record = self.state.record() or self.record

    def save(self, **changes: object) -> None:
        """Change the record, here and in the stack's state."""
        self.record = dataclasses.replace(self.record, **changes)  # type: ignore[arg-type]
        self.state.save(self.record)
