"""The proxy never sends a write twice, whatever becomes of the replica that works on it."""

import threading
import time
import uuid
from collections.abc import Iterator

import pytest
import requests

from harness.stack.handle import Stack
from tests.live._live import Commands, docker

HEADERS = {"OpenStack-API-Version": "placement 1.39"}


class Write(threading.Thread):
    """Renames a provider, and waits for the answer."""

    def __init__(self, stack: Stack, provider: str) -> None:
        super().__init__(daemon=True)
        self._url = f"{stack.placement_url}/resource_providers/{provider}"
        self._headers = {**HEADERS, "X-Auth-Token": stack.token()}
        self.answer: requests.Response | None = None
        self.start()

    def run(self) -> None:
        self.answer = requests.put(
            self._url, json={"name": "renamed"}, headers=self._headers, timeout=90
        )

    def status(self) -> int:
        self.join(90)
        assert self.answer is not None, "no answer at all"
        return self.answer.status_code


@pytest.fixture
def provider(up: Commands) -> Iterator[str]:
    stack, number = up.stack(), str(uuid.uuid4())
    headers = {**HEADERS, "X-Auth-Token": stack.token()}
    url = f"{stack.placement_url}/resource_providers"
    requests.post(
        url, json={"uuid": number, "name": number}, headers=headers, timeout=30
    ).raise_for_status()
    yield number
    requests.delete(f"{url}/{number}", headers=headers, timeout=30).raise_for_status()


def busy_replica(stack: Stack) -> int:
    """The replica that is working on a request, and no other does."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        busy = [member.replica for member in stack.balancer.members() if member.busy]
        if busy:
            (replica,) = busy
            return replica
        time.sleep(0.05)
    raise AssertionError("no replica works on the write")


def lines(up: Commands, service: str, text: str) -> list[str]:
    said = docker("logs", f"{up.name}-{service}")
    return [line for line in said.splitlines() if text in line]


def test_a_write_whose_replica_is_killed_gets_one_error_and_is_not_repeated(
    up: Commands, provider: str
) -> None:
    stack = up.stack()
    with stack.database() as holder, holder.cursor() as cursor:
        # The row is held, so that the write hangs in its replica.
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM resource_providers WHERE uuid = %s FOR UPDATE", (provider,))
        write = Write(stack, provider)
        replica = busy_replica(stack)
        # No write takes a second but one that waits for the row.
        time.sleep(1)
        assert busy_replica(stack) == replica
        docker("kill", f"{up.name}-placement-{replica}")
        try:
            assert 500 <= write.status() < 600
            assert busy_replicas_after(stack, seconds=1) == []
        finally:
            cursor.execute("ROLLBACK")
            up.harness("restart", "--replica", str(replica))
    (line,) = lines(up, "apache-1", f'"PUT /placement/resource_providers/{provider} ')
    assert f" replica={replica} " in line
    # A replica logs a request when it is done: the one that was killed never was.
    request = f'"PUT /placement/resource_providers/{provider}"'
    assert not [number for number in (1, 2, 3) if lines(up, f"placement-{number}", request)]
    with stack.database() as reader, reader.cursor() as cursor:
        cursor.execute("SELECT name FROM resource_providers WHERE uuid = %s", (provider,))
        assert cursor.fetchone() == (provider,)


def busy_replicas_after(stack: Stack, seconds: float) -> list[int]:
    """The replicas that work on something, at any look within these seconds."""
    end, found = time.monotonic() + seconds, set()
    while time.monotonic() < end:
        found |= {member.replica for member in stack.balancer.members() if member.busy}
        time.sleep(0.05)
    return sorted(found)


def test_a_write_for_a_dead_replica_is_done_once_by_another_or_not_at_all(up: Commands) -> None:
    stack = up.stack()
    headers = {**HEADERS, "X-Auth-Token": stack.token()}
    url = f"{stack.placement_url}/resource_providers"
    answers = {}
    docker("kill", f"{up.name}-placement-2")
    try:
        for _ in range(9):
            number = str(uuid.uuid4())
            body = {"uuid": number, "name": number}
            answers[number] = requests.post(url, json=body, headers=headers, timeout=30)
    finally:
        up.harness("restart", "--replica", "2")
    print(sorted(answer.status_code for answer in answers.values()))
    for number, answer in answers.items():
        there = requests.get(f"{url}/{number}", headers=headers, timeout=30).status_code
        assert (answer.status_code, there) in {(200, 200), (500, 404)}
        if there == 200:
            assert answer.headers["X-Placement-Replica"] in {"1", "3"}
            requests.delete(f"{url}/{number}", headers=headers, timeout=30).raise_for_status()
    assert len({answer.status_code for answer in answers.values()} - {500}) == 1
