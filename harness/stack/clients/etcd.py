"""Reads and writes the settings of replicas in the stack's etcd, by etcd3gw.

Each replica has its settings below PREFIX/KEY (``ReplicaId.key``), because replicas may differ in
their database node, schema and policy. A setting for all replicas is written for each of them, in
one transaction.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

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
# The limit of etcd for one transaction.
MOST_AT_ONCE = 128
# Settings by which a replica finds etcd. They stay in the environment.
OF_THE_SOURCE = ("default/config_source", f"{SERVICE}/")
# etcd3gw needs this path, or else asks for etcd's version first.
API_PATH = "/v3/"
T = TypeVar("T")


class Etcd:
    """Client of etcd's HTTP gateway, as the user root, over one connection that ``close`` ends.

    Methods raise StackError.
    """

    def __init__(self, url: str, password: str) -> None:
        # Only stacks with etcd pay for these imports.
        import requests
        from etcd3gw.client import Etcd3Client

        self._url = url
        self._password = password
        self._session = requests.Session()
        # A proxy or a .netrc of the user's is for other hosts.
        self._session.trust_env = False
        address = urlsplit(url)
        self._client = Etcd3Client(
            host=address.hostname or "",
            port=address.port or 2379,
            timeout=ANSWER_SECONDS,
            api_path=API_PATH,
            session=self._session,
        )

    @classmethod
    def of(cls, state: StackState) -> "Etcd":
        """The etcd of this stack."""
        host, port = containers.address(state, SERVICE, 2379, "etcd")
        return cls(f"http://{host}:{port}", state.secrets().etcd_password)

    def __enter__(self) -> "Etcd":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    def wait(self, deadline: Deadline) -> None:
        """Wait until etcd accepts root's password. Raises StackError after the deadline."""
        last: StackError | None = None
        for _ in deadline.every(POLL_SECONDS):
            try:
                self.authenticate()
                return
            except StackError as error:
                last = error
        raise last or StackError("etcd was not asked.", "Try again.", service=SERVICE)

    def read(self, prefix: str) -> dict[str, str]:
        """All values below a prefix: key without the prefix -> value."""
        first = _below(prefix)
        pairs = self._ask(lambda: self._client.get_prefix(first))
        return {
            _text(entry["key"]).removeprefix(f"{prefix}/"): _text(value) for value, entry in pairs
        }

    def write(self, values: Mapping[str, str | None]) -> None:
        """Write these keys, all or none; a key whose value is None is deleted."""
        if len(values) > MOST_AT_ONCE:
            raise ValueError(f"etcd takes {MOST_AT_ONCE} keys at once")
        changes = [_change(key, value) for key, value in values.items()]
        self._ask(lambda: self._client.transaction({"success": changes}))

    def delete(self, prefix: str) -> None:
        """Delete all keys below a prefix."""
        self._ask(lambda: self._client.delete_prefix(_below(prefix)))

    def read_setting(
        self, setting: str, replicas: Iterable[ReplicaId]
    ) -> dict[ReplicaId, str | None]:
        """The value of GROUP/OPTION for each of these replicas; None where it is not set."""
        values = self.read(PREFIX)
        return {replica: values.get(f"{replica.key}/{setting}") for replica in replicas}

    def write_setting(self, setting: str, values: Mapping[ReplicaId, str | None]) -> None:
        """Set GROUP/OPTION for these replicas, in one transaction; None unsets it."""
        self.write({f"{PREFIX}/{id_.key}/{setting}": value for id_, value in values.items()})

    def authenticate(self) -> None:
        """Get a token for root, which etcd3gw leaves to its caller. Raises StackError."""
        self._session.headers.pop("Authorization", None)
        root = {"name": "root", "password": self._password}
        url = self._client.get_url("/auth/authenticate")
        answer = self._translated(lambda: self._client.post(url, json=root))
        self._session.headers["Authorization"] = answer["token"]

    def _ask(self, request: Callable[[], T]) -> T:
        if "Authorization" not in self._session.headers:
            self.authenticate()
        return self._translated(request)

    def _translated(self, request: Callable[[], T]) -> T:
        """The answer to a request; errors of etcd3gw become StackError."""
        from etcd3gw import exceptions

        unreachable = (
            exceptions.ConnectionFailedError,
            exceptions.ConnectionTimeoutError,
            OSError,
            ValueError,
        )
        try:
            return request()
        except unreachable as error:
            raise StackError(
                f"etcd does not answer at {self._url}: {type(error).__name__}.",
                "See etcd's log: placement-harness logs etcd.",
                service=SERVICE,
            ) from error
        except exceptions.Etcd3Exception as error:
            raise StackError(
                f"etcd refuses a request: {_reason(error.detail_text or str(error))}.",
                "See etcd's log: placement-harness logs etcd.",
                service=SERVICE,
            ) from error


def environment(settings: Mapping[str, str], replica: ReplicaId) -> Mapping[str, str]:
    """The variables of a replica: the address of etcd, and the prefix of the replica's keys."""
    values = {name: value for name, value in settings.items() if name.startswith(OF_THE_SOURCE)}
    values[f"{SERVICE}/prefix"] = f"{PREFIX}/{replica.key}"
    return oslo_settings.variables(values)


def deliver(state: StackState, settings: Mapping[ReplicaId, Mapping[str, str]]) -> None:
    """Write the settings of replicas that have none yet; the user may have changed the others."""
    with Etcd.of(state) as etcd:
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
    """Raise StackError unless the stack's etcd answers."""
    with Etcd.of(state) as etcd:
        etcd.authenticate()


def forget(state: StackState, replicas: Sequence[ReplicaId]) -> None:
    """Delete the settings of removed replicas: a later replica gets the settings of that time."""
    if not replicas:
        return
    with Etcd.of(state) as etcd:
        for replica in replicas:
            etcd.delete(f"{PREFIX}/{replica.key}")


def _reason(detail: str) -> str:
    """The message in an answer of etcd's gateway, which is JSON."""
    try:
        return str(json.loads(detail)["message"])
    except (ValueError, KeyError, TypeError):
        return detail


def _change(key: str, value: str | None) -> dict[str, Any]:
    if value is None:
        return {"request_delete_range": {"key": _encoded(key)}}
    return {"request_put": {"key": _encoded(key), "value": _encoded(value)}}


def _below(prefix: str) -> bytes:
    # etcd3gw takes text for Latin-1.
    return f"{prefix}/".encode()


def _named(name: str) -> str:
    """GROUP/OPTION in the spelling of oslo.config's etcd driver."""
    group, _, option = name.partition("/")
    return f"{oslo_settings.section(group)}/{option}"


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _text(data: str | bytes) -> str:
    return data.decode(errors="replace") if isinstance(data, bytes) else data
