"""What lanes are called, and what is put into their databases."""

from __future__ import annotations

import pymysql
import pytest

from harness.core.errors import StackError
from harness.stack.clients.database import Schema
from harness.stack.model import lanes


def test_replicas_are_told_apart_by_their_lane() -> None:
    assert [lanes.route("1", 2), lanes.route("2", 3), lanes.route("cors", 1)] == [
        "2",
        "2-3",
        "cors-1",
    ]
    assert [lanes.owner("1", 2), lanes.owner("2", 3)] == ["placement-2", "placement-2-3"]
    assert [lanes.replica_of(one) for one in ("placement-2-3", "placement", "mariadb")] == [
        "2-3",
        None,
        None,
    ]
    # Those of one number are in one container, by which they are named there.
    routes = ("2", "2-3", "open-policy-1")
    assert [lanes.number(one) for one in routes] == [2, 3, 1]
    owners = ("placement-2", "placement-2-3", "placement-open-policy-1")
    assert [lanes.service_of(one)[-1] for one in owners] == ["2", "3", "1"]
    assert [lanes.folder(one) for one in owners] == ["", *owners[1:]]
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


def test_a_database_that_refuses_is_a_broken_stack() -> None:
    connection = Connection()

    def refuse() -> Cursor:
        raise pymysql.OperationalError(2013, "Lost connection")

    connection.cursor = refuse  # type: ignore[method-assign]
    with pytest.raises(StackError, match=r"cannot be emptied and filled .*Lost connection"):
        Schema(connection).reset({})  # type: ignore[arg-type]
