"""keystone, with this stack's secrets and addresses.

The database image carries keystone's tables with its users, roles and catalog, but no secret that
works. What differs from stack to stack comes from the environment, and is written at each start:

    KEYSTONE_FERNET_KEY         44 characters, URL-safe base64 of 32 bytes; signs tokens
    KEYSTONE_PASSWORD_<USER>    the password of that user, e.g. KEYSTONE_PASSWORD_ADMIN
    KEYSTONE_USERS_PASSWORD     the password of all users named "... as ROLES in PROJECT", which
                                tests use
    KEYSTONE_ADDRESS_<KIND>     the proxy's address as public, internal or admin users of the
                                catalog reach it, e.g. http://apache:8080

Everything is written before keystone serves. When the database cannot be reached within a minute,
the import fails and the container exits.
"""

import os
import pathlib
import time
import urllib.parse
from collections.abc import Iterator

import without_saml  # noqa: F401  (before keystone's imports)

DATABASE_TIMEOUT = 60.0
# A password has 128 random bits and lives as long as the stack: stretching it protects nothing.
BCRYPT_ROUNDS = 4


def settings(prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in os.environ.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix).lower(), value


def write_keys() -> None:
    """The key stands as both, staged (0) and primary (1), so that no rotation is due."""
    repository = pathlib.Path(os.environ["OS_FERNET_TOKENS__KEY_REPOSITORY"])
    repository.mkdir(mode=0o700, exist_ok=True)
    for name in ("0", "1"):
        key = repository / name
        key.touch(mode=0o600)
        key.write_text(os.environ["KEYSTONE_FERNET_KEY"])


def write_identity() -> None:
    import bcrypt
    import pymysql

    url = urllib.parse.urlsplit(os.environ["OS_DATABASE__CONNECTION"])
    deadline = time.monotonic() + DATABASE_TIMEOUT
    while True:
        try:
            connection = pymysql.connect(
                host=url.hostname or "",
                port=url.port or 3306,
                user=url.username,
                password=url.password or "",
                database=url.path.strip("/"),
                autocommit=True,
            )
            break
        except pymysql.err.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    with connection, connection.cursor() as cursor:
        passwords = [*settings("KEYSTONE_PASSWORD_")]
        passwords += [("% as % in %", os.environ["KEYSTONE_USERS_PASSWORD"])]
        for users, password in passwords:
            digest = bcrypt.hashpw(password.encode(), bcrypt.gensalt(BCRYPT_ROUNDS)).decode()
            cursor.execute(
                "UPDATE password JOIN local_user ON local_user.id = password.local_user_id"
                " SET password.password_hash = %s WHERE local_user.name LIKE %s",
                (digest, users),
            )
        # keystone writes it at a user's first login of a day. Two at once are one too many for
        # MariaDB 11.8 (error 1020: the record has changed since it was last read).
        cursor.execute("UPDATE user SET last_active_at = UTC_DATE()")
        for interface, address in settings("KEYSTONE_ADDRESS_"):
            cursor.execute(
                "UPDATE endpoint JOIN service ON service.id = endpoint.service_id"
                " SET endpoint.url = CONCAT(%s, '/', service.type) WHERE endpoint.interface = %s",
                (address, interface),
            )


write_keys()
from keystone.wsgi.api import application  # noqa: E402, F401  (reads the keys' place)

write_identity()
