"""The facts about a placement that are known before its image is built."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.core.paths import SERVICES

Kind = Literal["release", "checkout", "wheel", "sdist"]
NAME = "openstack-placement"
# Directory of every placement's Dockerfile, and of the locked release's requirements.
SERVICE = SERVICES / "placement"
# The directory of placement's own suites in its source tree.
SUITES = Path("placement/tests/functional/gabbits")


@dataclass(frozen=True, slots=True)
class Schema:
    """placement's database: ``head`` is alembic's newest revision, ``known`` are all of them.

    ``digest`` changes with the modules that define the tables, and with the traits and resource
    classes that placement itself writes.
    """

    head: str
    known: frozenset[str]
    digest: str

    def can_serve(self, other: "Schema") -> bool:
        """Whether this schema contains all migrations of the other one."""
        return other.head in self.known


@dataclass(frozen=True, slots=True)
class Placement:
    """A placement that replicas can run.

    ``spec`` is as the user wrote it. ``tree`` is the directory that holds the Python package
    ``placement``. ``lock`` is the file with the locked dependencies. ``package`` is the checkout or
    file that the image gets besides them; a release has none, since its lock names it.

    ``content`` is a digest of everything that the image is made of, except the interpreter. A
    checkout's digest covers its dependencies and its schema alone: its code is mounted over the
    image's, so that an edit needs no build.

    ``locked`` says that this is the release of the project's own lock. ``date`` is the day of its
    dependencies, as YYYY-MM-DD; without it, they are today's. ``constraints`` is the file that
    names the dependencies in place of a date.
    """

    spec: str
    kind: Kind
    version: str
    tree: Path
    lock: Path
    content: str
    schema: Schema
    package: Path | None = None
    locked: bool = False
    date: str | None = None
    constraints: Path | None = None

    @property
    def suites(self) -> Path:
        """The directory of its own suites."""
        return self.tree / SUITES

    @property
    def title(self) -> str:
        """Its version, and where it came from."""
        if self.kind == "release":
            chosen = self.spec.removeprefix("v") not in ("", self.version)
            return f"{self.version} (newest of {self.spec})" if chosen else self.version
        return f"{self.version} ({self.kind} {self.spec})"
