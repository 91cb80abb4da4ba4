"""The databases that a stack can have."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.core.paths import SERVICES


@dataclass(frozen=True, slots=True)
class Database:
    """A database server or cluster.

    ``image`` is the server's image; ``images`` are all images that the database needs besides those
    of every stack. ``services`` are its Compose services. ``front`` is the service that clients
    connect to, and its port 3306 is published. ``overlay`` is a Compose file that replaces the
    database of compose.yaml. ``servers`` are the services that create the schemas. If there are
    ``nodes``, replicas connect to them in turn, and not to ``front``.
    """

    name: str
    title: str
    image: str = "mariadb"
    images: tuple[str, ...] = ("mariadb",)
    services: tuple[str, ...] = ("mariadb",)
    front: str = "mariadb"
    overlay: Path | None = None
    servers: tuple[str, ...] = ("mariadb",)
    nodes: tuple[str, ...] = ()

    def host(self, replica: int) -> str:
        """Name of the service that a replica connects to."""
        return self.nodes[(replica - 1) % len(self.nodes)] if self.nodes else self.front

    @property
    def cluster(self) -> tuple[str, ...]:
        """The services that form a cluster before any of them serves; empty for one server."""
        return self.servers if len(self.servers) > 1 else ()


_MARIADB_10_11 = "mariadb-10.11"
_NODES = ("galera-1", "galera-2", "galera-3")


def _galera(name: str, title: str, nodes: tuple[str, ...] = ()) -> Database:
    return Database(
        name,
        title,
        images=("mariadb", "haproxy"),
        services=(*_NODES, "haproxy"),
        front="haproxy",
        overlay=SERVICES / "galera" / "compose.yaml",
        servers=_NODES,
        nodes=nodes,
    )


DATABASES: Mapping[str, Database] = {
    database.name: database
    for database in (
        Database("mariadb", "MariaDB"),
        Database(
            _MARIADB_10_11,
            "MariaDB",
            image=_MARIADB_10_11,
            images=(_MARIADB_10_11,),
            services=(_MARIADB_10_11,),
            front=_MARIADB_10_11,
            overlay=SERVICES / _MARIADB_10_11 / "compose.yaml",
            servers=(_MARIADB_10_11,),
        ),
        _galera("galera", "Galera, 3 nodes, one writer: MariaDB"),
        _galera("galera-multiwriter", "Galera, 3 nodes, all writers: MariaDB", _NODES),
    )
}
