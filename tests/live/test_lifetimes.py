"""The fixtures for Python tests, and how long a stack lives."""

import re

import pytest
import requests

from tests.live._live import Commands

FIXTURES = """
import uuid


def test_placement_is_a_session_with_a_token_and_the_latest_version(placement):
    number = str(uuid.uuid4())
    made = placement.post("/resource_providers", json={"uuid": number, "name": number})
    assert made.status_code == 200
    assert made.json()["root_provider_uuid"] == number
    assert placement.delete(f"/resource_providers/{number}").status_code == 204


def test_database_is_placements_own(placement, database):
    number = str(uuid.uuid4())
    placement.post("/resource_providers", json={"uuid": number, "name": number})
    with database.cursor() as cursor:
        cursor.execute("SELECT name FROM resource_providers WHERE uuid = %s", (number,))
        assert cursor.fetchone() == (number,)
    placement.delete(f"/resource_providers/{number}")


def test_stack_restarts_and_scales_its_replicas(stack, placement):
    stack.restart(1)
    stack.scale(1, print)
    assert {placement.get("/").headers["x-placement-replica"] for _ in range(4)} == {"1"}
    stack.scale(2, print)
    assert {placement.get("/").headers["x-placement-replica"] for _ in range(6)} == {"1", "2"}


def test_another_database_of_the_stack_can_be_reached(stack):
    with stack.database("keystone") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM user")
        assert cursor.fetchone()[0] >= 2
"""
ENOUGH = """
tests:
""" + "".join(
    f"- name: versions {number}\n  GET: $ENVIRON['PLACEMENT_SERVICE']/\n"
    "  request_headers: {accept: application/json}\n"
    for number in range(40)
)


def test_python_tests_use_the_stack_its_session_and_its_database(commands: Commands) -> None:
    (commands.folder / "test_own.py").write_text(FIXTURES)
    said = commands.pytest("--replicas", "2", "test_own.py")
    assert "4 passed" in said
    assert commands.settled() == []


def test_a_kept_stack_is_used_again_with_another_number_of_replicas(commands: Commands) -> None:
    suite = str(commands.suite(ENOUGH))
    said = commands.pytest("--replicas", "2", "--stack", "keep", suite)
    assert "40 passed" in said
    assert f"{commands.name} goes on running" in said
    assert shares(said) == {"1", "2"}
    token = commands.harness("token").strip()
    said = commands.pytest("--replicas", "3", "--stack", "reuse", suite)
    assert "40 passed" in said
    assert "2 replicas -> 3" in said
    assert "starting" not in said
    assert shares(said) == {"1", "2", "3"}
    said = commands.pytest("--replicas", "1", "--stack", "reuse", suite)
    assert shares(said) == {"1"}
    # It is the same stack all the while: the first token still holds.
    url = f"{commands.stack().placement_url}/resource_providers"
    assert requests.get(url, headers={"X-Auth-Token": token}, timeout=10).status_code == 200
    commands.harness("down")
    assert "There is no stack" in commands.harness("down")
    assert commands.settled() == []


def shares(said: str) -> set[str]:
    """The replicas that a summary names with what they answered."""
    found = re.search(r"^requests .*$", said, re.MULTILINE)
    assert found is not None, said
    return set(re.findall(r"replica (\d+) \d+", found[0]))


@pytest.mark.long
def test_lanes_that_come_later_have_what_placement_writes_and_nothing_of_the_users(
    commands: Commands,
) -> None:
    commands.run("placement-harness", "up", "--replicas", "2")
    first = commands.suite(
        """
defaults: {request_headers: {x-auth-token: "$ENVIRON['SERVICE_TOKEN']"}}
tests:
- name: a class of the user's
  PUT: $ENVIRON['PLACEMENT_SERVICE']/resource_classes/CUSTOM_KEPT
  request_headers: {openstack-api-version: placement latest}
  status: 201
"""
    )
    commands.pytest("--stack", "reuse", str(first))
    second = first.with_name("second.yaml")
    second.write_text(ENOUGH)
    third = first.with_name("third.yaml")
    third.write_text(ENOUGH)
    commands.pytest("--stack", "reuse", "-n", "2", str(second), str(third))
    stack = commands.stack()
    classes = {}
    for schema in ("placement", "placement_2"):
        with stack.database(schema) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT name, id FROM resource_classes")
            classes[schema] = dict(cursor.fetchall())
    assert classes["placement"].pop("CUSTOM_KEPT")
    assert classes["placement_2"] == classes["placement"]
    assert classes["placement_2"]["VCPU"] == 0
