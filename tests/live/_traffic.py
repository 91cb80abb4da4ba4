"""Requests that flow while something is done to a stack."""

import contextlib
import threading
import uuid
from collections.abc import Iterator

import requests

from tests.live._live import Commands

CLIENTS = 4


class Client(threading.Thread):
    """Reads and writes on one keep-alive connection, until it is told to stop."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(
            {"X-Auth-Token": token, "OpenStack-API-Version": "placement 1.39"}
        )
        self.over = threading.Event()
        self.done = 0
        self.failed: list[str] = []
        # What was acknowledged: the total of each provider's inventory; None when it was deleted.
        self.promised: dict[str, int | None] = {}

    def run(self) -> None:
        while not self.over.is_set():
            self._provider(str(uuid.uuid4()))

    def _provider(self, number: str) -> None:
        provider = f"/resource_providers/{number}"
        if not self._ask("POST", "/resource_providers", 200, {"uuid": number, "name": number}):
            return
        self.promised[number] = 0
        for total in (1, 2):
            inventories = {"VCPU": {"total": total}}
            body = {"resource_provider_generation": total - 1, "inventories": inventories}
            if self._ask("PUT", f"{provider}/inventories", 200, body):
                self.promised[number] = total
            self._ask("GET", f"{provider}/inventories", 200)
            self._ask("GET", f"/resource_providers?uuid={number}", 200)
        # Every other one is deleted again.
        if len(self.promised) % 2 and self._ask("DELETE", provider, 204):
            self.promised[number] = None

    def _ask(self, method: str, path: str, expected: int, body: object = None) -> bool:
        self.done += 1
        try:
            answer = self._session.request(method, self._url + path, json=body, timeout=30)
        except requests.RequestException as error:
            self.failed.append(f"{method} {path}: {error!r}")
            return False
        if answer.status_code != expected:
            self.failed.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer.status_code == expected


@contextlib.contextmanager
def traffic(up: Commands) -> Iterator[list[Client]]:
    """Reads and writes from several clients, for as long as the block takes."""
    stack = up.stack()
    clients = [Client(stack.placement_url, stack.token()) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.over.set()
        for client in clients:
            client.join(60)


def none_failed(up: Commands, clients: list[Client], *, least: int) -> None:
    """Not one request failed, of so many at least, and what was acknowledged is there."""
    done = sum(client.done for client in clients)
    print(f"{done} requests")
    assert [failure for client in clients for failure in client.failed] == []
    assert done > least
    _kept_what_they_promised(up, {k: v for client in clients for k, v in client.promised.items()})


def _kept_what_they_promised(up: Commands, promised: dict[str, int | None]) -> None:
    with up.stack().database() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT uuid, COALESCE(MAX(total), 0) FROM resource_providers"
            " LEFT JOIN inventories ON resource_provider_id = resource_providers.id"
            " GROUP BY uuid"
        )
        there = dict(cursor.fetchall())
        lost = {number: total for number, total in promised.items() if there.get(number) != total}
        assert lost == {}
        # A provider is its own root.
        cursor.execute("SET foreign_key_checks = 0")
        cursor.execute("DELETE FROM inventories")
        cursor.execute("DELETE FROM resource_providers")
