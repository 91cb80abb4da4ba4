"""`placement-harness logs` shows one request, one replica, or what is being written."""

import time

import pytest
import requests

from tests.live._live import Commands


def ask(up: Commands) -> tuple[str, str]:
    """One request: its id, and the number of the replica that answered."""
    stack = up.stack()
    url = f"{stack.placement_url}/resource_providers"
    answer = requests.get(url, headers={"X-Auth-Token": stack.token()}, timeout=10)
    answer.raise_for_status()
    return answer.headers["X-OpenStack-Request-Id"], answer.headers["X-Placement-Replica"]


def sources(up: Commands, printed: str) -> set[str]:
    return {
        line.split(" | ")[0].strip().removeprefix(f"{up.name}-") for line in printed.splitlines()
    }


def test_one_requests_lines_come_from_apache_and_its_replica(up: Commands) -> None:
    request, replica = ask(up)
    printed = up.harness("logs", "--request", request)
    assert all(request in line for line in printed.splitlines())
    assert sources(up, printed) == {"apache-1", f"placement-{replica}"}
    assert f"replica={replica} " in printed


def test_one_replicas_lines_are_its_own(up: Commands) -> None:
    request, replica = ask(up)
    other = int(replica) % 3 + 1
    assert request in up.harness("logs", "--replica", replica)
    assert request not in up.harness("logs", "--replica", str(other))


def test_one_services_lines_are_its_own(up: Commands) -> None:
    request, _ = ask(up)
    assert request in up.harness("logs", "apache")
    assert request not in up.harness("logs", "mariadb")


def test_the_last_lines_alone_can_be_had(up: Commands) -> None:
    ask(up)
    assert len(up.harness("logs", "apache", "--tail", "2").splitlines()) == 2


def test_follow_shows_what_is_written_from_then_on_until_it_is_interrupted(up: Commands) -> None:
    running = up.start("placement-harness", "logs", "--follow", "--tail", "0")
    try:
        end = time.monotonic() + 30
        while True:
            request, replica = ask(up)
            time.sleep(0.3)
            if request in running.text and f"{up.name}-placement-{replica}" in running.text:
                break
            assert time.monotonic() < end, running.text
        assert running.process.poll() is None
    finally:
        running.interrupt()
        code = running.ends(20)
    assert code == 130


@pytest.mark.parametrize(
    ("words", "problem"),
    [(["nobody"], "has no service nobody. It has apache, keystone, "),
     (["--replica", "9"], "has no replica 9. It has 1, 2, 3.")],
)  # fmt: skip
def test_logs_of_what_is_not_there_are_an_error(
    up: Commands, words: list[str], problem: str
) -> None:
    said = up.harness("logs", *words, code=64)
    assert f"The stack {up.name} {problem}" in said
