"""Lanes as Compose sees them, and what is put into their databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.plan import Lane
from harness.stack import lanes
from harness.stack.schema import Schema
from harness.state import Record, Secrets, StackState

LANES = (Lane("1"), Lane("2"), Lane("cors", {"OS_CORS__ALLOWED_ORIGIN": "http://a"}))
RECORD = Record("one", "fresh", 3, 9000, lanes={"1": 9000, "2": 9001, "cors": 9002})


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path))
    state = StackState("one")
    state.create(RECORD, Secrets())
    lanes.prepare(state, RECORD, LANES, Secrets(database_password="word"))
    found: dict[str, Any] = json.loads(state.lanes_file.read_text())["services"]
    return found


def test_each_lane_has_replicas_a_schema_and_a_port_of_its_own(overlay: dict[str, Any]) -> None:
    assert set(overlay) == {"placement", "placement-2", "placement-cors", "apache", "mariadb"}
    assert overlay["apache"] == {
        "environment": {"LANES": "2:8081:3 cors:8082:1"},
        "ports": ["127.0.0.1:9001:8081", "127.0.0.1:9002:8082"],
    }
    assert overlay["mariadb"]["environment"] == {"SCHEMAS": "placement_2 placement_cors"}
    second = overlay["placement-2"]["environment"]
    assert second["OS_PLACEMENT_DATABASE__CONNECTION"].endswith(":word@mariadb/placement_2")
    assert overlay["placement-cors"]["environment"]["OS_CORS__ALLOWED_ORIGIN"] == "http://a"
    # The first lane is the service of compose.yaml, which has its database.
    assert "OS_PLACEMENT_DATABASE__CONNECTION" not in overlay["placement"]["environment"]


def test_secrets_of_lanes_are_for_the_owner_alone(overlay: dict[str, Any]) -> None:
    state = StackState("one")
    assert state.lanes_file.stat().st_mode & 0o077 == 0
    # Replicas read their policy as another user.
    assert state.policy_file("2").stat().st_mode & 0o444 == 0o444


def test_replicas_are_told_apart_by_their_lane() -> None:
    assert [lanes.route("1", 2), lanes.route("2", 3), lanes.route("cors", 1)] == [
        "2",
        "2-3",
        "cors-1",
    ]
    assert list(lanes.numbers("2", 3)) == [1, 2, 3]
    assert list(lanes.numbers("cors", 3)) == [1]


class Cursor:
    """Gives placement's tables, and takes what is executed."""

    def __init__(self, executed: list[str]) -> None:
        self.execute = executed.append
        self.nextset = lambda: False

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None: ...

    def fetchall(self) -> list[tuple[str]]:
        return [("alembic_version",), ("traits",), ("inventories",)]


class Connection:
    def __init__(self) -> None:
        self.executed: list[str] = []

    def cursor(self) -> Cursor:
        return Cursor(self.executed)

    def escape(self, value: object) -> str:
        return "NULL" if value is None else f"'{value}'"


def test_a_schema_is_emptied_and_filled_in_one_go() -> None:
    connection = Connection()
    rows = {
        "inventories": [{"id": 1, "resource_class_id": "VCPU", "total": 4, "updated_at": None}],
        "traits": [{"id": 7, "name": "CUSTOM_A"}],
    }
    Schema(connection).reset(rows)  # type: ignore[arg-type]
    (tables, statements) = connection.executed
    assert tables == "SHOW TABLES"
    assert statements.split(";") == [
        "START TRANSACTION",
        "SET foreign_key_checks = 0",
        # What placement itself writes stays.
        "DELETE FROM traits WHERE name LIKE 'CUSTOM\\_%'",
        "DELETE FROM inventories",
        # The database numbers its traits itself.
        "INSERT INTO traits (`name`) VALUES ('CUSTOM_A')",
        "INSERT INTO inventories (`id`, `resource_class_id`, `total`, `updated_at`) VALUES ('1', "
        "(SELECT id FROM resource_classes WHERE name = 'VCPU'), '4', NULL)",
        "SET foreign_key_checks = 1",
        "COMMIT",
    ]
