"""The facts about a placement that are known before its image is built."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.core.paths import SERVICES

Kind = Literal["release", "checkout", "wheel", "sdist"]
NAME = "openstack-placement"
# The Dockerfile of every placement, and the locked one's requirements.
SERVICE = SERVICES / "placement"
# The directory of placement's own suites in its source tree.
SUITES = Path("placement/tests/functional/gabbits")


@dataclass(frozen=True, slots=True)
class Schema:
    """placement's database: ``head`` is alembic's newest revision, ``known`` are all of them.

    ``digest`` changes when the tables can, or what placement itself writes into them.
    """

    head: str
    known: frozenset[str]
    digest: str

    def can_serve(self, other: "Schema") -> bool:
        """Whether a database with this schema was migrated beyond the other one's, not beside."""
        return other.head in self.known


@dataclass(frozen=True, slots=True)
class Placement:
    """A placement that replicas can run.

    ``spec`` is as the user wrote it. ``tree`` is the directory that has the package ``placement``
    in it; ``package`` what is installed in the image over the dependencies in ``lock``: a checkout
    or a file, none for a release, which its lock names. ``content`` is a digest of all that the
    image is made of besides the interpreter; but for a checkout only of what its dependencies are
    made of: its code is put over the image's, so that an edit needs no build. ``locked`` says
    that it is the release of the project's own lock. ``date`` is the day whose dependencies it
    has, as YYYY-MM-DD; none: today's. ``constraints`` is the file that names its dependencies in
    place of a date.
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
