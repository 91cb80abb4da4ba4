"""Connects to a stack's database; empties a lane's schema, and writes the rows of a suite."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from harness.core.errors import StackError
from harness.stack.model import containers
from harness.stack.model.state import StackState
from harness.upstream.fixture_data import Rows

if TYPE_CHECKING:
    import pymysql

# Tables that migrations write, and that stay as they are.
KEPT = frozenset({"alembic_version"})
# Tables in which only rows of users are deleted: placement itself writes the other rows.
STANDARD = ("traits", "resource_classes")
# Column -> table that has the id of a name; ids differ between databases.
REFERENCES = {"trait_id": "traits", "resource_class_id": "resource_classes"}


def connect(
    state: StackState, service: str, password: str, schema: str, *, several: bool = False
) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    """Connect to a schema of a stack's database, whose port this service publishes.

    ``several`` lets the connection take several statements at once. Raises StackError.
    """
    import pymysql
    from pymysql.constants import CLIENT

    host, port = containers.address(state, service, 3306, "The database")
    try:
        return pymysql.connect(
            host=host,
            port=port,
            user="harness",
            password=password,
            database=schema,
            autocommit=True,
            # The connection is on loopback, and reading certificates takes longer than connecting.
            ssl_disabled=True,
            client_flag=CLIENT.MULTI_STATEMENTS if several else 0,
        )
    except pymysql.MySQLError as error:
        raise StackError(
            f"The database {schema} of the stack {state.name} refuses a connection: {error}.",
            f"See its log: placement-harness logs {service}.",
            service=service,
        ) from error


def copy_schema(connection: "pymysql.Connection[pymysql.cursors.Cursor]", target: str) -> None:
    """Give the database a schema with the tables of the connection's own, and no user's rows.

    What is there already stays. ``target`` is a plain name. Raises StackError.
    """
    import pymysql

    with contextlib.closing(connection), connection.cursor() as cursor:
        try:
            cursor.execute("SELECT DATABASE()")
            (source,) = cursor.fetchone() or ("",)
            cursor.execute("SHOW TABLES")
            tables = [row[0] for row in cursor.fetchall()]
            statements = [
                "SET foreign_key_checks = 0",
                # The class VCPU has the id 0.
                "SET sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')",
                f"CREATE DATABASE IF NOT EXISTS `{target}`",
                f"USE `{target}`",
            ]
            for table in tables:
                cursor.execute(f"SHOW CREATE TABLE `{table}`")
                created = (cursor.fetchone() or ("", ""))[1]
                statements.append(
                    created.replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ", 1)
                )
                if table in KEPT or table in STANDARD:
                    condition = "" if table in KEPT else " WHERE name NOT LIKE 'CUSTOM\\_%'"
                    rows = f"SELECT * FROM `{source}`.`{table}`{condition}"  # noqa: S608 (own names)
                    statements.append(f"INSERT IGNORE INTO `{table}` {rows}")
            for statement in statements:
                cursor.execute(statement)
        except pymysql.MySQLError as error:
            raise StackError(
                f"The schema {target} could not be added to the database: {error}.",
                "See its log: placement-harness logs, with the name of its service.",
            ) from error


class Schema:
    """placement's tables, over a connection that takes several statements at once."""

    def __init__(self, connection: "pymysql.Connection[pymysql.cursors.Cursor]") -> None:
        self._connection = connection
        self._empty = ""

    def reset(self, rows: Rows) -> None:
        """Empty the schema, except for the rows that placement itself writes, and add ``rows``.

        ``rows`` holds the rows of each table, with names in place of ids of traits and classes.
        Raises StackError.
        """
        import pymysql

        try:
            self._reset(rows)
        except pymysql.MySQLError as error:
            raise StackError(
                f"The database cannot be emptied and filled for a suite: {error}.",
                "See the database's log: placement-harness logs SERVICE.",
            ) from error

    def _reset(self, rows: Rows) -> None:
        if not self._empty:
            self._empty = ";".join(self._emptying())
        statements = [self._empty, *self._inserts(rows), "SET foreign_key_checks = 1", "COMMIT"]
        with self._connection.cursor() as cursor:
            cursor.execute(";".join(statements))
            # An error in a statement is raised when its result is taken.
            while cursor.nextset():
                pass

    def close(self) -> None:
        self._connection.close()

    def _emptying(self) -> Iterator[str]:
        yield "START TRANSACTION"
        yield "SET foreign_key_checks = 0"
        with self._connection.cursor() as cursor:
            cursor.execute("SHOW TABLES")
            for (table,) in cursor.fetchall():
                if table not in KEPT:
                    only = " WHERE name LIKE 'CUSTOM\\_%'" if table in STANDARD else ""
                    yield f"DELETE FROM {table}{only}"  # noqa: S608 (the database's own names)

    def _inserts(self, rows: Rows) -> Iterator[str]:
        # Rows to which others refer by name come first.
        for table in sorted(rows, key=lambda table: table not in STANDARD):
            for row in rows[table]:
                # The database chooses the ids of traits.
                values = {
                    name: self._value(name, value)
                    for name, value in row.items()
                    if (table, name) != ("traits", "id")
                }
                names = ", ".join(f"`{name}`" for name in values)
                # Names and values come from placement's own fixtures, and are escaped.
                yield f"INSERT INTO {table} ({names}) VALUES ({', '.join(values.values())})"  # noqa: S608

    def _value(self, column: str, value: Any) -> str:
        escaped = str(self._connection.escape(value))
        if column in REFERENCES:
            return f"(SELECT id FROM {REFERENCES[column]} WHERE name = {escaped})"  # noqa: S608
        return escaped
