"""Replicas come and go while requests flow, and not one request fails."""

import re
import threading
import time
import uuid
from collections.abc import Callable

import requests
from _live import Commands, docker

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


def timed(what: str, work: Callable[[], object]) -> None:
    begin = time.monotonic()
    work()
    print(f"{what}: {time.monotonic() - begin:.1f} s")


def replicas(up: Commands) -> list[int]:
    names = docker(*("ps", "--filter", f"name=^{up.name}-placement-", "--format", "{{.Names}}"))
    return sorted(int(re.sub(r".*-", "", name)) for name in names.split())


def test_not_one_request_fails_while_replicas_come_and_go(up: Commands) -> None:
    stack = up.stack()
    clients = [Client(stack.placement_url, stack.token()) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for count in (5, 2, 3):
            timed(f"scale {count}", lambda count=count: up.harness("scale", str(count)))  # type: ignore[misc]
            assert replicas(up) == list(range(1, count + 1))
        timed("restart --rolling", lambda: up.harness("restart", "--rolling"))
    finally:
        for client in clients:
            client.over.set()
        for client in clients:
            client.join(60)
    done = sum(client.done for client in clients)
    print(f"{done} requests")
    assert [failure for client in clients for failure in client.failed] == []
    assert done > 200
    kept_what_they_promised(up, {k: v for client in clients for k, v in client.promised.items()})


def kept_what_they_promised(up: Commands, promised: dict[str, int | None]) -> None:
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


def test_all_replicas_are_in_rotation_after_a_rolling_restart(up: Commands) -> None:
    up.harness("restart", "--replica", "2")
    stack = up.stack()
    served = set()
    for _ in range(12):
        answer = requests.get(f"{stack.placement_url}/", timeout=10)
        served.add(answer.headers["X-Placement-Replica"])
    assert served == {"1", "2", "3"}


def test_a_replica_that_is_not_there_cannot_be_restarted(up: Commands) -> None:
    said = up.harness("restart", "--replica", "9", code=64)
    assert f"The stack {up.name} has no replica 9. It has replicas 1 to 3." in said


def test_two_commands_do_not_change_the_replicas_at_once(up: Commands) -> None:
    with up.stack().state.changing():
        said = up.harness("scale", "2", code=70)
    assert f"is changing the replicas of {up.name}. Wait for it to end, and try again." in said
    assert replicas(up) == [1, 2, 3]
