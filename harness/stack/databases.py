"""The databases that a stack can have."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Database:
    """A database server, or several.

    ``image`` is the one whose server it is; ``images`` are all that it needs besides those of
    every stack. ``services`` are its services in Compose, and ``front`` the one that everybody
    connects to, whose port 3306 is published. ``overlay`` is a Compose file that puts it in place
    of compose.yaml's own. ``servers`` are the services that are told which schemas to make.
    ``nodes``, if there are any, take turns: each replica has its own.
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
        """Whom a replica connects to."""
        return self.nodes[(replica - 1) % len(self.nodes)] if self.nodes else self.front


DATABASES: Mapping[str, Database] = {one.name: one for one in (Database("mariadb", "MariaDB"),)}
