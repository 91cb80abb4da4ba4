"""The stack as a run sees it: each replica's own address, and what the database holds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.consistency.client import Client, Names
from harness.consistency.history import Writer
from harness.stack.lifecycle.running import RunningStack
from harness.targets.stack import StackTarget

if TYPE_CHECKING:
    import pymysql

# Name of a table in a history -> the rows that matter to checkers, ids resolved to UUIDs and names.
TABLES: Mapping[str, str] = {
    "providers": (
        "SELECT p.uuid, p.name, p.generation, parent.uuid, root.uuid,"
        " p.parent_provider_id IS NOT NULL AND parent.id IS NULL, root.id IS NULL"
        " FROM resource_providers p"
        " LEFT JOIN resource_providers parent ON parent.id = p.parent_provider_id"
        " LEFT JOIN resource_providers root ON root.id = p.root_provider_id"
    ),
    "inventories": (
        "SELECT p.uuid, c.name, i.total, i.reserved, i.allocation_ratio FROM inventories i"
        " LEFT JOIN resource_providers p ON p.id = i.resource_provider_id"
        " LEFT JOIN resource_classes c ON c.id = i.resource_class_id"
    ),
    "allocations": (
        "SELECT a.consumer_id, p.uuid, c.name, a.used FROM allocations a"
        " LEFT JOIN resource_providers p ON p.id = a.resource_provider_id"
        " LEFT JOIN resource_classes c ON c.id = a.resource_class_id"
    ),
    "consumers": "SELECT uuid, generation FROM consumers",
    "traits": (
        "SELECT p.uuid, t.name FROM resource_provider_traits o"
        " LEFT JOIN resource_providers p ON p.id = o.resource_provider_id"
        " LEFT JOIN traits t ON t.id = o.trait_id"
    ),
    "aggregates": (
        "SELECT p.uuid, a.uuid FROM resource_provider_aggregates o"
        " LEFT JOIN resource_providers p ON p.id = o.resource_provider_id"
        " LEFT JOIN placement_aggregates a ON a.id = o.aggregate_id"
    ),
    "custom traits": "SELECT name, COUNT(*) FROM traits WHERE name LIKE 'CUSTOM%' GROUP BY name",
    "custom classes": (
        "SELECT name, COUNT(*), MIN(id) FROM resource_classes WHERE name LIKE 'CUSTOM%'"
        " GROUP BY name"
    ),
}

SETTINGS = (
    "innodb_flush_log_at_trx_commit",
    "innodb_doublewrite",
    "innodb_snapshot_isolation",
    "transaction_isolation",
    "tx_isolation",
    "wsrep_sync_wait",
)


class Cluster:
    """A stack of several replicas, for clients that each ask one of them."""

    def __init__(self, target: StackTarget) -> None:
        self._target = target

    @property
    def stack(self) -> RunningStack:
        return self._target.stack

    @property
    def replicas(self) -> int:
        return self.stack.record.replicas

    def client(self, process: int, writer: Writer) -> Client:
        """The client of this number; clients share the replicas out among themselves."""
        replica = process % self.replicas + 1
        _, headers = self.stack.direct(replica)
        return Client(
            process,
            replica,
            lambda number: self.stack.direct(number)[0],
            {**headers, "x-auth-token": self._target.token()},
            self._target.transport(),
            writer,
        )

    def check(self) -> None:
        """Raise StackError when a container has died whose death was not meant."""
        self._target.check()

    def facts(self) -> dict[str, Any]:
        """The stack's entries in a history's header. Raises StackError."""
        record = self.stack.record
        return {
            "replicas": record.replicas,
            "database": record.database,
            "placements": [placement.title for placement in record.placements],
            "settings": self._settings(),
        }

    def _settings(self) -> dict[str, str]:
        """Settings of the database on which durability and isolation depend."""
        connection = self._target.database()
        try:
            with connection.cursor() as cursor:
                names = ", ".join(f"'{name}'" for name in SETTINGS)
                # The names are constants.
                cursor.execute(f"SHOW GLOBAL VARIABLES WHERE variable_name IN ({names})")
                rows: Sequence[Sequence[Any]] = cursor.fetchall()
        finally:
            connection.close()
        return {str(name): str(value) for name, value in rows}

    def rows(self) -> dict[str, Sequence[Sequence[Any]]]:
        """All rows of the database that matter, by ``TABLES``. Raises StackError."""
        connection = self._target.database()
        try:
            return {name: _rows(connection, query) for name, query in TABLES.items()}
        finally:
            connection.close()


def _rows(
    connection: "pymysql.Connection[pymysql.cursors.Cursor]", query: str
) -> Sequence[Sequence[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows: Sequence[Sequence[Any]] = cursor.fetchall()
    return rows


def new_rows(before: Iterable[Sequence[Any]], after: Iterable[Sequence[Any]]) -> list[Any]:
    """Rows that have been added or changed; equal rows count as often as they are there."""
    old = Counter(map(tuple, before))
    rows = []
    for row in after:
        if old[tuple(row)] > 0:
            old[tuple(row)] -= 1
        else:
            rows.append(row)
    return rows


def shared_out(rows: Iterable[Sequence[Any]], runs: Sequence[Names]) -> list[list[list[Any]]]:
    """Rows for each of some runs, with its names for UUIDs.

    A row that names no object of any run is each run's.
    """
    owners = {made: number for number, names in enumerate(runs) for made in names.made}
    tags = {names.tag: number for number, names in enumerate(runs)}
    shares: list[list[list[Any]]] = [[] for _ in runs]
    for row in rows:
        named = (owners.get(value, tags.get(_tag(value))) for value in row)
        owner = next((number for number in named if number is not None), None)
        for number in range(len(runs)) if owner is None else (owner,):
            shares[number].append([runs[number].name(value) for value in row])
    return shares


def _tag(value: Any) -> str:
    """Part of a custom trait's or resource class's name that tells its run."""
    text = value if isinstance(value, str) else ""
    return text.split("_", 2)[1] if text.startswith("CUSTOM_") and text.count("_") > 1 else ""
