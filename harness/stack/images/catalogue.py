"""The table of images: which image builds on which, and which images a stack needs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.core.paths import SERVICES
from harness.engine import base_image
from harness.stack.settings import reference
from harness.stack.settings.config_sources import SOURCES
from harness.stack.settings.databases import DATABASES


@dataclass(frozen=True, slots=True)
class Image:
    """One image.

    ``folder`` is its folder below services/, if that has another name. ``upon`` are the images that
    its build reads. ``debian`` is the Debian release of its packages. ``kept`` is the number of
    contents that stay on the machine, for other checkouts and for changes that are undone.
    """

    name: str
    upon: tuple[str, ...] = ()
    folder: str | None = None
    debian: str = base_image.DEBIAN
    kept: int = 4

    @property
    def directory(self) -> Path:
        """The directory with this image's Dockerfile."""
        return SERVICES / (self.folder or self.name)

    @property
    def variable(self) -> str:
        """The variable of compose.yaml for this image's content."""
        name = re.sub(r"\W", "_", self.name).upper()
        return f"HARNESS_CONTENT_{name}"

    def tag(self, content: str) -> str:
        """The image's name with this content; each checkout of the project may have its own."""
        return f"placement-harness/{self.name}:{content}"


IMAGES: Mapping[str, Image] = {
    image.name: image
    for image in (
        Image("python"),
        Image("apache"),
        Image("memcached"),
        Image("oslo-config-etcd"),
        Image("placement", upon=("python", "oslo-config-etcd"), kept=12),
        Image("keystone", upon=("python",)),
        Image("mariadb-server"),
        Image("mariadb", upon=("mariadb-server", "keystone", "placement"), kept=8),
        Image("etcd"),
        Image("mariadb-server-10.11", folder="mariadb-server", debian="bookworm"),
        Image(
            "mariadb-10.11",
            upon=("mariadb-server-10.11", "keystone", "placement"),
            folder="mariadb",
            debian="bookworm",
            kept=8,
        ),
        Image("haproxy"),
        Image("reference"),
    )
}
# Compose files that describe builds, besides compose.yaml.
OVERLAYS = sorted(
    {
        *(database.overlay for database in DATABASES.values() if database.overlay),
        *(source.overlay for source in SOURCES.values() if source.overlay),
        reference.OVERLAY,
    }
)
# Names of folders that go into no image: a driver's tests, and the caches of tools.
NO_PART = {"tests", "__pycache__", ".mypy_cache", ".pytest_cache"}
# Images of every stack, whatever its database and its configuration source.
ALWAYS = ("apache", "memcached", "placement", "keystone")


def needed(database: str, config_source: str, *, beside: bool = False) -> list[str]:
    """The images of a stack with this database and this configuration source, and their parents.

    ``beside`` is whether the reference stands beside the stack.
    """
    others = (*SOURCES[config_source].images, *(reference.IMAGES if beside else ()))
    return with_parents([*ALWAYS, *DATABASES[database].images, *others])


def with_parents(names: Iterable[str]) -> list[str]:
    """These images and all that they build on, in the order of IMAGES."""
    wanted = [*names]
    for name in wanted:
        # The list grows while the loop goes through it.
        wanted += [parent for parent in IMAGES[name].upon if parent not in wanted]
    return [name for name in IMAGES if name in wanted]


def built_upon(name: str) -> set[str]:
    """The images that cannot be built before this one."""
    children = {child.name for child in IMAGES.values() if name in child.upon}
    return children.union(*map(built_upon, children))


def files(image: Image) -> Iterator[Path]:
    """The files of an image's folder that its build may read."""
    for path in sorted(image.directory.rglob("*")):
        if path.is_file() and not NO_PART & {*path.relative_to(image.directory).parts}:
            yield path
