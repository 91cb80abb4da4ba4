"""Values for the objects of an engine: containers, networks, volumes, images."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import EngineError
from harness.core.process import Outcome

if TYPE_CHECKING:
    from harness.engine.docker import Engine

# A published port as docker writes it, or a range of ports: 127.0.0.1:8080-8081->80-81/tcp.
PORT = re.compile(r"(\S+):(\d+)(?:-\d+)?->(\d+)(?:-(\d+))?/tcp")


@dataclass(frozen=True, slots=True)
class Container:
    """A container, as its engine lists it.

    ``service`` and ``number`` are Compose's, "" and 0 for a container that Compose did not make.
    ``state`` is a word, such as running or exited; ``status`` says since when. ``labels`` are those
    that the listing was asked for.
    """

    id: str
    name: str
    service: str
    number: int
    state: str
    status: str
    ports: str
    labels: Mapping[str, str] = field(compare=False)
    engine: "Engine" = field(repr=False, compare=False)

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    def address(self, port: int) -> tuple[str, int] | None:
        """Host and port at which a port of the container is published; None if it is not."""
        for host, first, begin, end in PORT.findall(self.ports):
            if int(begin) <= port <= int(end or begin):
                return host, int(first) + port - int(begin)
        return None


@dataclass(frozen=True, slots=True)
class Resource:
    """A network or a volume; ``id`` is what removes it."""

    id: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Once:
    """Options of a container that is removed when its program ends.

    ``network`` is the only network that the container can reach. ``volumes`` (source -> path in the
    container) are read-only. With ``confined``, the program can write to /tmp alone, and has no
    capabilities. With ``beside``, the id of a container, the program sees the processes of that
    container, and may measure them.
    """

    network: str = "none"
    volumes: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    env_file: Path | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    confined: bool = False
    beside: str | None = None
    stdin: bytes | None = None

    def options(self) -> tuple[str, ...]:
        """docker's options for such a container."""
        # Another user's process is measured with this capability alone.
        measuring = ("--user", "0", "--cap-add", "SYS_PTRACE")
        confined = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")  # noqa: S108 (in there)
        return (
            *("--pull", "never", "--network", self.network),
            *(confined if self.confined else ()),
            *(("--pid", f"container:{self.beside}", *measuring) if self.beside else ()),
            *(("--env-file", str(self.env_file)) if self.env_file else ()),
            *_repeated("--mount", (_bind(source, at) for source, at in self.volumes.items())),
            *_repeated("--env", (f"{name}={value}" for name, value in self.environment.items())),
            *_repeated("--label", (f"{name}={value}" for name, value in self.labels.items())),
        )


def _bind(source: str, target: str) -> str:
    """A read-only folder for docker's option --mount, which is a line of CSV."""
    quoted = '"source={}"'.format(source.replace('"', '""'))
    return f"type=bind,{quoted},target={target},readonly"


def _repeated(option: str, values: Iterable[str]) -> Iterator[str]:
    return (word for value in values for word in (option, value))


@dataclass(frozen=True, slots=True)
class Image:
    """An image, as its engine lists it: once for each of its tags."""

    tag: str
    id: str


@dataclass(frozen=True, slots=True)
class ImageDetails:
    """More about an image. ``size`` is in bytes, ``driver`` the engine's storage driver.

    ``last_use`` sorts images by when they were made or tagged, whichever came last.
    """

    id: str
    size: int
    driver: str
    last_use: str


class DockerError(EngineError):
    """docker has failed. The text never holds the command line, which may hold secrets."""

    def __init__(self, action: str, outcome: Outcome) -> None:
        super().__init__(
            f"docker could not {action}: {outcome.reason}.",
            "See whether docker works: placement-harness doctor.",
            evidence=outcome.evidence,
        )
        self.reason = outcome.reason
        self.output = outcome.text
