"""A running stack: where it listens, who may speak to it, and its replicas."""

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

import requests

from harness.auth import Keystone
from harness.errors import EngineError, StackError
from harness.results import Progress
from harness.stack.balancer import Balancer
from harness.stack.commands import run
from harness.stack.compose import client
from harness.stack.watch import Death, Watch, death_error
from harness.state import Record, Secrets, StackState
from harness.timing import Deadline

if TYPE_CHECKING:
    import pymysql


READY_SECONDS = 60.0
DRAIN_SECONDS = 60.0
POLL_SECONDS = 0.05
# A replica that is loading takes a connection and answers when it has loaded: ask again instead.
ASK_SECONDS = 1.0


class Stack:
    """One Compose project, up and answering.

    ``record`` says where it listens and with how many replicas. The methods may be called from
    any process of the stack's owner: what they change is written to the stack's state.
    """

    def __init__(self, state: StackState, record: Record, secrets: Secrets) -> None:
        self.state = state
        self.record = record
        self._secrets = secrets
        self._watch: Watch | None = None
        self._session = requests.Session()
        # A proxy or a .netrc of the user's is for other hosts.
        self._session.trust_env = False
        self._token: str | None = None

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def identity_url(self) -> str:
        return f"{self.record.url}/identity"

    @property
    def placement_url(self) -> str:
        return f"{self.record.url}/placement"

    @property
    def replicas(self) -> range:
        return range(1, self.record.replicas + 1)

    @property
    def balancer(self) -> Balancer:
        return Balancer(self.record.url, self._secrets.balancer_key)

    def token(self) -> str:
        """A token of the user admin in the project admin, from keystone; fetched once."""
        if self._token is None:
            domain = {"id": "default"}
            user = {"name": "admin", "domain": domain, "password": self._secrets.admin_password}
            keystone = Keystone(
                f"{self.identity_url}/v3",
                {"methods": ["password"], "password": {"user": user}},
                {"project": {"name": "admin", "domain": domain}},
                "the stack's admin",
            )
            self._token = keystone.token(timeout=ASK_SECONDS)
        return self._token

    def database(self, schema: str = "placement") -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """A new connection to the stack's MariaDB, from outside."""
        import pymysql

        published = run("docker", "port", f"{self.name}-mariadb-1", "3306", seconds=10)
        if not published.ok:
            raise StackError(
                f"MariaDB of the stack {self.name} has no address: {published.reason}.",
                "See whether it runs: placement-harness status.",
                service="mariadb",
            )
        host, _, port = published.out.split()[0].rpartition(":")
        return pymysql.connect(
            host=host,
            port=int(port),
            user="harness",
            password=self._secrets.database_password,
            database=schema,
            autocommit=True,
        )

    # What can happen to it

    def watch(self) -> None:
        if self._watch is None:
            self._watch = Watch(self.name)
            self._watch.start()

    def unwatch(self) -> None:
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def check(self, when: str = "during the run") -> None:
        """Raise StackError if a container has died, unless it was meant to."""
        if self._watch is None:
            return
        deaths = self._watch.deaths()
        if deaths:
            record = self.state.record() or self.record
            for death in deaths:
                if death.service == "placement" and _was_meant(death, record):
                    continue
                raise death_error(death, when)
            self._watch.forget(deaths)
        if self._watch.blind:
            raise EngineError(
                f"The container engine has stopped telling what happens to {self.name}.",
                "See whether it runs: `docker version`, `placement-harness doctor`.",
            )

    # Readiness

    def asks_replica(self, replica: int) -> str | None:
        """Ask one replica itself, in the balancer or not; None when it serves, else why not."""
        return self._ask(
            f"{self.record.url}/replica/{replica}/resource_providers",
            {"X-Harness-Key": self._secrets.balancer_key},
        )

    def _ask(self, url: str, headers: dict[str, str]) -> str | None:
        try:
            answer = self._session.get(
                f"{url}?name=placement-harness-ready",
                headers={**headers, "X-Auth-Token": self.token()},
                timeout=ASK_SECONDS,
            )
        except requests.RequestException as error:
            return type(error).__name__
        if answer.status_code == 401:
            self._token = None
        return None if answer.status_code == 200 else f"{answer.status_code} {answer.text[:200]}"

    def wait_for_replicas(self, replicas: range | list[int], deadline: Deadline) -> None:
        """Return when each of these replicas has answered an authenticated request."""
        missing, last = list(replicas), ""
        for _ in deadline.every(POLL_SECONDS):
            self.check("before it served")
            while missing:
                problem = self.asks_replica(missing[0])
                if problem is not None:
                    last = problem
                    break
                del missing[0]
            if not missing:
                return
        raise StackError(
            f"Replica {missing[0]} did not serve within {deadline.seconds:.0f} s; "
            f"its last answer: {last or 'none'}.",
            f"See what it says: placement-harness logs --replica {missing[0]}.",
            service="placement",
        )

    # Replicas, while requests flow

    def scale(self, replicas: int, progress: Progress) -> None:
        """Add or remove replicas; requests under way are finished, none is refused."""
        with self.state.changing():
            self._scale(replicas, progress)

    def _scale(self, replicas: int, progress: Progress) -> None:
        # Another process may have changed it.
        self.record = self.state.record() or self.record
        before = self.record.replicas
        if replicas < before:
            for replica in range(before, replicas, -1):
                self.balancer.drain(replica, Deadline.after(DRAIN_SECONDS))
        self._save(replicas=replicas, leaving=tuple(range(replicas + 1, before + 1)))
        progress(f"{before} replicas -> {replicas}")
        client(self.state).compose.up(
            ["placement"],
            detach=True,
            recreate=False,
            dependencies=False,
            scales={"placement": replicas},
            pull="never",
            quiet=True,
        )
        added = range(before + 1, replicas + 1)
        self.wait_for_replicas(added, Deadline.after(READY_SECONDS))
        for replica in added:
            self.balancer.enable(replica)
        self._save(leaving=())

    def restart_rolling(self, progress: Progress) -> Iterator[int]:
        """Restart the replicas one after the other; yield each that serves again."""
        for replica in self.replicas:
            progress(f"restarting replica {replica}")
            self.restart(replica)
            yield replica

    def restart(self, replica: int) -> None:
        """Take a replica out, restart it, and put it back when it serves."""
        with self.state.changing():
            self.record = self.state.record() or self.record
            self._save(leaving=(replica,))
            self.balancer.drain(replica, Deadline.after(DRAIN_SECONDS))
            restarted = run(
                "docker", "restart", f"{self.name}-placement-{replica}", seconds=DRAIN_SECONDS
            )
            if not restarted.ok:
                raise StackError(
                    f"Replica {replica} could not be restarted: {restarted.reason}.",
                    "See whether it is there: placement-harness status.",
                    service="placement",
                )
            self.wait_for_replicas([replica], Deadline.after(READY_SECONDS))
            self.balancer.enable(replica)
            self._save(leaving=())

    def _save(self, **changes: object) -> None:
        self.record = dataclasses.replace(self.record, **changes)  # type: ignore[arg-type]
        self.state.save(self.record)


def _was_meant(death: Death, record: Record) -> bool:
    """Whether a replica was removed or restarted on purpose, by this process or another one."""
    if death.number in record.leaving or death.number > record.replicas:
        return True
    # No container starts itself again: one that runs was restarted by somebody.
    state = run(
        *("docker", "inspect", "--format", "{{.State.Running}}", death.container), seconds=10
    )
    return state.out.strip() == "true"
