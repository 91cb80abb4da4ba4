"""What lanes are called, and what is put into their databases."""

from __future__ import annotations

import pymysql
import pytest

from harness.core.errors import StackError
from harness.stack.clients.database import Schema
from harness.stack.model import lanes
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.record import Record


@pytest.mark.parametrize(
    ("replica", "name", "key", "folder"),
    [
        (ReplicaId("1", 2), "2", "placement-2", ""),
        (ReplicaId("2", 3), "2-3", "placement-2-3", "placement-2-3"),
        (ReplicaId("open-policy", 1), "open-policy-1", *["placement-open-policy-1"] * 2),
    ],
)
def test_a_replica_has_a_name_and_settings_of_its_own_and_its_numbers_container(
    replica: ReplicaId, name: str, key: str, folder: str
) -> None:
    assert (str(replica), replica.key, replica.folder) == (name, key, folder)
    assert ReplicaId.parse(name) == ReplicaId.of_key(key) == replica
    assert replica.service == f"placement-{replica.number}"
    assert replica.container("one") == f"one-placement-{replica.number}"


def test_services_of_replicas_are_told_from_others() -> None:
    services = ("placement-12", "placement", "placement-x", "mariadb", "galera-2")
    replicas = [ReplicaId.of_service(service) for service in services]
    assert replicas == [ReplicaId.first(12), None, None, None, None]
    with pytest.raises(ValueError, match="invalid literal"):
        ReplicaId.parse("placement")


def test_a_lane_for_a_profile_has_one_replica() -> None:
    record = Record("one", "keep", 2, 1, lanes={"1": 1, "2": 2, "cors": 3})
    assert [str(one) for one in lanes.replicas(record)] == ["1", "2", "2-1", "2-2", "cors-1"]
    alone = Record("one", "keep", 2, 1)
    assert [str(one) for one in lanes.replicas(alone)] == ["1", "2"]


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
        # Rows that placement itself writes stay.
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
