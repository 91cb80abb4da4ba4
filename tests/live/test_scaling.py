"""Replicas come and go while requests flow, and not one request fails."""

import re
import time
from collections.abc import Callable

import requests

from tests.live._live import Commands, docker
from tests.live._traffic import none_failed, traffic

TURNS = """
tests:
- {name: one, GET: "$ENVIRON['PLACEMENT_SERVICE']/"}
- {name: two, GET: "$ENVIRON['PLACEMENT_SERVICE']/"}
- {name: three, GET: "$ENVIRON['PLACEMENT_SERVICE']/"}
"""


def timed(what: str, work: Callable[[], object]) -> None:
    begin = time.monotonic()
    work()
    print(f"{what}: {time.monotonic() - begin:.1f} s")


def replicas(up: Commands) -> list[int]:
    names = docker(*("ps", "--filter", f"name=^{up.name}-placement-", "--format", "{{.Names}}"))
    return sorted(int(re.sub(r".*-", "", name)) for name in names.split())


def test_not_one_request_fails_while_replicas_come_and_go(up: Commands) -> None:
    with traffic(up) as clients:
        for count in (5, 2, 3):
            timed(f"scale {count}", lambda count=count: up.harness("scale", str(count)))  # type: ignore[misc]
            assert replicas(up) == list(range(1, count + 1))
        timed("restart --rolling", lambda: up.harness("restart", "--rolling"))
    none_failed(up, clients, least=200)


def test_all_replicas_are_in_rotation_after_a_rolling_restart(up: Commands) -> None:
    up.harness("restart", "--replica", "2")
    stack = up.stack()
    served = set()
    for _ in range(12):
        answer = requests.get(f"{stack.placement_url}/", timeout=10)
        served.add(answer.headers["X-Placement-Replica"])
    assert served == {"1", "2", "3"}


def enabled(up: Commands) -> set[int]:
    return {member.replica for member in up.stack().balancer.members() if member.enabled}


def test_whatever_became_of_the_balancer_up_puts_all_replicas_in_rotation(up: Commands) -> None:
    up.harness("scale", "2")
    docker("restart", f"{up.name}-apache-1")
    up.harness("up")
    assert enabled(up) == {1, 2}
    up.harness("scale", "3")
    running = up.start("placement-harness", "restart", "--rolling")
    running.when("restarting replica 2")
    time.sleep(0.5)
    running.kill()
    assert enabled(up) != {1, 2, 3}
    said = up.pytest("--stack", "reuse", str(up.suite(TURNS)))
    assert "requests  3: replica 1 1, replica 2 1, replica 3 1" in said
    assert enabled(up) == {1, 2, 3}


def test_ctrl_c_in_a_rolling_restart_leaves_all_replicas_in_rotation(up: Commands) -> None:
    running = up.start("placement-harness", "restart", "--rolling")
    running.when("restarting replica 2")
    time.sleep(0.5)
    running.interrupt()
    assert running.ends(30) == 130
    assert enabled(up) == {1, 2, 3}
    assert "replica 3" not in running.text


def test_a_replica_that_is_not_there_cannot_be_restarted(up: Commands) -> None:
    said = up.harness("restart", "--replica", "9", code=64)
    assert f"The stack {up.name} has no replica 9. It has replicas 1 to 3." in said


def test_two_commands_do_not_change_the_replicas_at_once(up: Commands) -> None:
    with up.stack().state.changing():
        said = up.harness("scale", "2", code=70)
    assert f"is changing the replicas of {up.name}. Wait for it to end, and try again." in said
    assert replicas(up) == [1, 2, 3]
