"""Looks at a cloud from where replicas will stand: a container of placement's image.

The image has no other code of the harness: this script imports the standard library and placement's
libraries alone. It reads {"settings": {GROUP/OPTION: value}, "rows": whether the rows
of the database are wanted alone} from stdin, as JSON, and prints one JSON object:

    {"database": {"error": text} | {"revision": text or null, "tables": {table: {key: digest}},
                                    "missing": [traits and classes that placement would add]},
     "memcached": {server: why it does not answer, or null},
     "keystone": {"error": text} | {"token": text}}

With "rows", there is the database alone. No text has a password in it.
"""

import hashlib
import json
import socket
import sys
from typing import Any

CONNECT_SECONDS = 5
KEYSTONE_SECONDS = 20
MEMCACHED_PORT = 11211


def rows_of(connection: Any, table: Any) -> dict[str, str]:
    """A digest of each row, by its primary key."""
    import sqlalchemy

    keys = [column.name for column in table.primary_key.columns]
    digests = {}
    for row in connection.execute(sqlalchemy.select(table)).mappings():
        values = repr([row[column.name] for column in table.columns])
        key = "/".join(str(row[name]) for name in keys)
        digests[key] = hashlib.blake2b(values.encode(), digest_size=8).hexdigest()
    return digests


def database(url: str) -> dict[str, Any]:
    """The schema's revision, and digests of the rows of placement's tables."""
    import os_resource_classes  # type: ignore[import-untyped]
    import os_traits  # type: ignore[import-untyped]
    import sqlalchemy
    from placement.db.sqlalchemy import models  # type: ignore[import-untyped]

    try:
        engine = sqlalchemy.create_engine(
            url, connect_args={"connect_timeout": CONNECT_SECONDS}, hide_parameters=True
        )
        # All tables are read as they are at one moment.
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            there = set(sqlalchemy.inspect(connection).get_table_names())
            known = [table for table in models.BASE.metadata.tables.values() if table.name in there]
            revision = None
            if "alembic_version" in there:
                query = sqlalchemy.text("SELECT version_num FROM alembic_version")
                revision = connection.execute(query).scalar()
            tables = {table.name: rows_of(connection, table) for table in known}
            if revision is not None:
                tables["alembic_version"] = {revision: revision}
            missing = []
            for name, standard in (
                ("traits", os_traits.get_traits()),
                ("resource_classes", os_resource_classes.STANDARDS),
            ):
                if name in there:
                    names = connection.execute(sqlalchemy.text(f"SELECT name FROM {name}"))  # noqa: S608
                    missing += sorted(set(standard) - set(names.scalars()))
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        reason = getattr(error, "orig", None) or error
        return {"error": " ".join(str(part) for part in reason.args[-1:]) or type(reason).__name__}
    return {"revision": revision, "tables": tables, "missing": missing}


def memcached(servers: str) -> dict[str, str | None]:
    return {name.strip(): silent(name.strip()) for name in servers.split(",") if name.strip()}


def silent(server: str) -> str | None:
    """Why a memcached server does not answer; None if it does."""
    address = server.removeprefix("inet6:").removeprefix("inet:")
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        host, port = address, str(MEMCACHED_PORT)
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS) as client:
            client.sendall(b"version\r\n")
            answer = client.recv(100)
    except OSError as error:
        return str(error)
    return None if answer.startswith(b"VERSION") else "it speaks no memcached"


def value_of(option: Any, given: dict[str, str]) -> str | None:
    """The value of an option of keystone's, under its name or an older one."""
    names = [option.dest, *(old.dest for old in option.deprecated)]
    return next((given[name] for name in names if name in given), None)


def keystone(settings: dict[str, str]) -> dict[str, str]:
    """A token of placement's own user, which replicas check other tokens with."""
    from keystoneauth1 import exceptions, loading
    from keystoneauth1 import session as sessions

    group = "keystone_authtoken/"
    given = {
        name.removeprefix(group): value
        for name, value in settings.items()
        if name.startswith(group)
    }
    kind = given.get("auth_type") or given.get("auth_plugin") or "password"
    insecure = given.get("insecure", "").lower() in ("true", "1", "yes", "on")
    try:
        loader: Any = loading.get_plugin_loader(kind)
        plugin = loader.load_from_options_getter(lambda option: value_of(option, given))
        verify = False if insecure else given.get("cafile") or True
        session = sessions.Session(verify=verify, timeout=KEYSTONE_SECONDS)
        return {"token": plugin.get_token(session)}
    except (exceptions.ClientException, OSError) as error:
        return {"error": str(error).partition("\n")[0]}


def main() -> None:
    question = json.load(sys.stdin)
    settings = question["settings"]
    answer: dict[str, Any] = {"database": database(settings["placement_database/connection"])}
    if not question["rows"]:
        answer["memcached"] = memcached(settings.get("keystone_authtoken/memcached_servers", ""))
        answer["keystone"] = keystone(settings)
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
