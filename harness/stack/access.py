"""Where a running stack listens, and how to speak to each part of it."""

import dataclasses
from typing import TYPE_CHECKING

import requests

from harness.config.plan import FIRST_LANE
from harness.engine.docker import Engine
from harness.identity.keystone import Keystone
from harness.stack.clients.apache_balancer import Balancer, Balancers
from harness.stack.clients.database import Schema, connect
from harness.stack.clients.keystone_users import Users
from harness.stack.model import lanes
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.settings.config_sources import SOURCES, Source
from harness.stack.settings.databases import DATABASES

if TYPE_CHECKING:
    import pymysql


# Timeout for a token of a stack that is up: many processes may be asking keystone at once.
TOKEN_SECONDS = 30.0


class Access:
    """Addresses, credentials and clients of one stack, as its record describes them.

    The methods may be called from any process of the stack's owner: what they change is written to
    the stack's state.
    """

    def __init__(
        self, state: StackState, record: Record, secrets: Secrets, *, token: str | None = None
    ) -> None:
        self.state = state
        self.record = record
        self._secrets = secrets
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
        """The engine that runs a replica: replicas take turns on the stack's hosts."""
        engines = self.state.engines
        return engines[lanes.host_of(replica.service, len(engines))]

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
            direct=True,
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

    # The record

    def refresh(self) -> None:
        """Take the record as another process may have left it."""
        self.record = self.state.record() or self.record

    def save(self, **changes: object) -> None:
        """Change the record, here and in the stack's state."""
        self.record = dataclasses.replace(self.record, **changes)  # type: ignore[arg-type]
        self.state.save(self.record)
