"""The stack's etcd: replicas take their settings from it.

Each replica has its own, below PREFIX/KEY (``ReplicaId.key``), because replicas differ: one may
have a database node, a schema or a policy of its own. What is set for all is written for each, at
one moment.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.stack.model import containers, oslo_settings
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.state import StackState

SERVICE = "etcd"
PREFIX = "/placement"
READY_SECONDS = 30.0
ANSWER_SECONDS = 5.0
POLL_SECONDS = 0.05
# What etcd takes in one transaction.
MOST_AT_ONCE = 128
# Settings of the source itself: how a replica finds etcd.
OF_THE_SOURCE = ("default/config_source", f"{SERVICE}/")


class Etcd:
    """etcd's HTTP gateway, as its root. Every problem is a StackError."""

    def __init__(self, url: str, password: str) -> None:
        self._url = url
        self._password = password
        # Only stacks with etcd pay for the import.
        import requests

        self._session = requests.Session()
        # A proxy or a .netrc of the user's is for other hosts.
        self._session.trust_env = False

    @classmethod
    def of(cls, state: StackState) -> "Etcd":
        host, port = containers.address(state, SERVICE, 2379, "etcd")
        return cls(f"http://{host}:{port}", state.secrets().etcd_password)

    def wait(self, deadline: Deadline) -> None:
        """Return when it answers its root."""
        last: StackError | None = None
        for _ in deadline.every(POLL_SECONDS):
            try:
                self.authenticate()
                return
            except StackError as error:
                last = error
        raise last or StackError("etcd was not asked.", "Try again.", service=SERVICE)

    def read(self, prefix: str) -> dict[str, str]:
        """All keys below a prefix, without it."""
        found = self._post("/v3/kv/range", _below(prefix)).get("kvs", [])
        pairs = ((_decoded(one["key"]), _decoded(one.get("value", ""))) for one in found)
        return {key.removeprefix(f"{prefix}/"): value for key, value in pairs}

    def write(self, values: Mapping[str, str | None]) -> None:
        """Write these keys, all or none; a key whose value is None is deleted."""
        if len(values) > MOST_AT_ONCE:
            raise ValueError(f"etcd takes {MOST_AT_ONCE} keys at once")
        self._post("/v3/kv/txn", {"success": [_change(*one) for one in values.items()]})

    def delete(self, prefix: str) -> None:
        """Delete all keys below a prefix."""
        self._post("/v3/kv/deleterange", _below(prefix))

    def read_setting(
        self, setting: str, replicas: Iterable[ReplicaId]
    ) -> dict[ReplicaId, str | None]:
        """The value of GROUP/OPTION for each of these replicas; None where it is not set."""
        values = self.read(PREFIX)
        return {replica: values.get(f"{replica.key}/{setting}") for replica in replicas}

    def write_setting(self, setting: str, values: Mapping[ReplicaId, str | None]) -> None:
        """Set GROUP/OPTION for these replicas, in one transaction; None unsets it."""
        self.write({f"{PREFIX}/{one.key}/{setting}": value for one, value in values.items()})

    def authenticate(self) -> None:
        """Get a token. Raises StackError where it does not answer its root."""
        self._session.headers.pop("Authorization", None)
        who = {"name": "root", "password": self._password}
        self._session.headers["Authorization"] = self._ask("/v3/auth/authenticate", who)["token"]

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if "Authorization" not in self._session.headers:
            self.authenticate()
        return self._ask(path, body)

    def _ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            answer = self._session.post(self._url + path, json=body, timeout=ANSWER_SECONDS)
            said: dict[str, Any] = answer.json()
        except (OSError, ValueError) as error:
            raise StackError(
                f"etcd does not answer at {self._url}: {type(error).__name__}.",
                "See what it says: placement-harness logs etcd.",
                service=SERVICE,
            ) from error
        if answer.status_code != 200:
            raise StackError(
                f"etcd refuses {path}: {said.get('message') or answer.status_code}.",
                "See what it says: placement-harness logs etcd.",
                service=SERVICE,
            )
        return said


def environment(settings: Mapping[str, str], replica: ReplicaId) -> Mapping[str, str]:
    """The variables of a replica: the address of etcd, and the prefix of the replica's keys."""
    values = {name: value for name, value in settings.items() if name.startswith(OF_THE_SOURCE)}
    values[f"{SERVICE}/prefix"] = f"{PREFIX}/{replica.key}"
    return oslo_settings.variables(values)


def deliver(state: StackState, settings: Mapping[ReplicaId, Mapping[str, str]]) -> None:
    """Write the settings of replicas that have none yet: the others may have been changed since."""
    etcd = Etcd.of(state)
    etcd.wait(Deadline.after(READY_SECONDS))
    configured = {key.partition("/")[0] for key in etcd.read(PREFIX)}
    for replica, values in settings.items():
        if replica.key not in configured:
            etcd.write(
                {
                    f"{PREFIX}/{replica.key}/{_named(name)}": value
                    for name, value in values.items()
                    if not name.startswith(OF_THE_SOURCE)
                }
            )


def require(state: StackState) -> None:
    """Raise StackError unless it answers."""
    Etcd.of(state).authenticate()


def forget(state: StackState, replicas: Sequence[ReplicaId]) -> None:
    """Delete the settings of replicas that are gone: a later replica gets those of its day."""
    for replica in replicas:
        Etcd.of(state).delete(f"{PREFIX}/{replica.key}")


def _change(key: str, value: str | None) -> dict[str, Any]:
    if value is None:
        return {"request_delete_range": {"key": _encoded(key.encode())}}
    return {"request_put": {"key": _encoded(key.encode()), "value": _encoded(value.encode())}}


def _below(prefix: str) -> dict[str, str]:
    first = f"{prefix}/".encode()
    # Keys below it end before the character that follows the slash.
    return {"key": _encoded(first), "range_end": _encoded(first[:-1] + b"0")}


def _named(name: str) -> str:
    """GROUP/OPTION as the driver reads it."""
    group, _, option = name.partition("/")
    return f"{oslo_settings.section(group)}/{option}"


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(data: str) -> str:
    return base64.b64decode(data).decode(errors="replace")
