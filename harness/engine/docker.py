"""One container engine, with a method for each thing that it does.

python-on-whales does most things, and is imported when it is needed. The module ``command`` does
what that library cannot do, and what a stack's start and removal need: importing the library takes
0.3 s of a processor.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from harness.core.environment import NAMES
from harness.core.process import TIMED_OUT, Outcome
from harness.core.program import Program
from harness.engine.command import CommandLine, Labels
from harness.engine.values import Container, DockerError, Image, ImageDetails, Once, Resource

if TYPE_CHECKING:
    from python_on_whales import DockerClient

SERVICE_LABEL = "com.docker.compose.service"
NUMBER_LABEL = "com.docker.compose.container-number"
CONTAINER_FIELDS = (
    *(".ID", ".Names", f'.Label "{SERVICE_LABEL}"', f'.Label "{NUMBER_LABEL}"'),
    *(".State", ".Status", ".Ports"),
)
IMAGE_FIELDS = (".Id", ".Size", ".GraphDriver.Name", ".Created", ".Metadata.LastTagTime")
# Time limits. Seconds.
CHANGE_SECONDS = 60.0
REMOVE_SECONDS = 120.0


class Engine:
    """A container engine: of a docker context, at a host, or docker's current one.

    Methods raise DockerError when docker fails, unless they return an ``Outcome``.
    """

    def __init__(self, *, context: str | None = None, host: str | None = None) -> None:
        if context and host:
            raise ValueError("an engine has a context or a host")
        self._context = context
        self._host = host
        self.command = CommandLine(context, host)

    def client(
        self, seconds: float, before: Sequence[str] = (), **compose: object
    ) -> "DockerClient":
        """A python-on-whales client whose commands have a time limit and begin with ``before``.

        ``timeout`` puts the command into a new process group, which the terminal's Ctrl-C does not
        reach.
        """
        from python_on_whales import DockerClient

        # The library's commands get all of this process's environment.
        unset = [word for name in NAMES if name in os.environ for word in ("-u", name)]
        without = ("env", *unset) if unset and shutil.which("env") else ()
        limit = ("timeout", f"{seconds:g}") if shutil.which("timeout") else ()
        return DockerClient(
            client_call=[*before, *without, *limit, "docker"],
            context=self._context,
            host=self._host,
            **compose,  # type: ignore[arg-type]
        )

    @property
    def root(self) -> Path | None:
        """The directory on the engine's machine in which it keeps everything."""
        with translated("name the directory of its files"):
            return self.client(CHANGE_SECONDS).system.info().docker_root_dir

    def log_drivers(self) -> tuple[str, Sequence[str]]:
        """The engine's own log driver, and all that it has; none where it does not say."""
        with translated("name its log drivers"):
            info = self.client(CHANGE_SECONDS).system.info()
        return info.logging_driver or "unknown", (info.plugins and info.plugins.log) or ()

    # Containers, networks, volumes

    def containers(self, labels: Labels, shown: Sequence[str] = ()) -> list[Container]:
        """The containers with these labels, by name; ``shown`` labels are part of the values.

        A label of None may have any value.
        """
        fields = (*CONTAINER_FIELDS, *_label_fields(shown))
        rows = _rows(self.command.containers(labels, fields), "list containers")
        containers = [
            Container(
                *(id_, name, service, int(number or 0), state, status, ports),
                dict(zip(shown, values, strict=True)),
                self,
            )
            for id_, name, service, number, state, status, ports, *values in rows
        ]
        return sorted(containers, key=lambda container: container.name)

    def state(self, container: str) -> str:
        """The state of a container at this moment, e.g. running; empty if it is gone."""
        outcome = self.command.state(container)
        return outcome.out.strip() if outcome.ok else ""

    def networks(self, labels: Labels, shown: Sequence[str] = ()) -> list[Resource]:
        fields = (".ID", *_label_fields(shown))
        return _resources(self.command.networks(labels, fields), "list networks", shown)

    def volumes(self, labels: Labels, shown: Sequence[str] = ()) -> list[Resource]:
        fields = (".Name", *_label_fields(shown))
        return _resources(self.command.volumes(labels, fields), "list volumes", shown)

    def labels(self, labels: Labels, shown: Sequence[str]) -> list[Mapping[str, str]]:
        """The ``shown`` labels of every container, network and volume with these labels.

        The three are listed at once, since most of the time is docker's start.
        """
        with ThreadPoolExecutor(3) as pool:
            containers = pool.submit(self.containers, labels, shown)
            networks = pool.submit(self.networks, labels, shown)
            volumes = pool.submit(self.volumes, labels, shown)
        return [
            *(container.labels for container in containers.result()),
            *(part.labels for part in (*networks.result(), *volumes.result())),
        ]

    def remove_containers(self, ids: Sequence[str]) -> None:
        """Remove containers, whether they run or not, with their anonymous volumes."""
        with translated("remove containers"):
            self.client(REMOVE_SECONDS).container.remove([*ids], force=True, volumes=True)

    def remove_networks(self, ids: Sequence[str]) -> None:
        with translated("remove networks"):
            self.client(REMOVE_SECONDS).network.remove([*ids])

    def remove_volumes(self, names: Sequence[str]) -> None:
        with translated("remove volumes"):
            self.client(REMOVE_SECONDS).volume.remove([*names])

    def fill_volumes(
        self, image: str, folders: Mapping[str, str], labels: Mapping[str, str]
    ) -> None:
        """Create volumes: name -> folder of the image whose files the volume gets."""
        client = self.client(REMOVE_SECONDS)
        with translated("fill volumes"):
            for name in folders:
                client.volume.create(name, labels=dict(labels))
            # The engine fills an empty volume with the image's files when a container mounts it.
            container = client.container.create(image, volumes=[*folders.items()], pull="never")
            client.container.remove(container.id)

    def create_volume(self, name: str, labels: Mapping[str, str]) -> None:
        with translated("create a volume"):
            self.client(CHANGE_SECONDS).volume.create(name, labels=dict(labels))

    def claim_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Create an empty volume, unless there is one: that one keeps its labels."""
        _require(self.command.create_volume(name, labels), "create a volume")

    def release_volume(self, name: str) -> None:
        """Remove a volume that may be gone, and that nothing uses."""
        self.command.remove_volume(name)

    def restart(self, container: str, seconds: float) -> None:
        with translated("restart a container"):
            self.client(seconds).container.restart(container)

    def stop(self, containers: Sequence[str], patience: int, seconds: float) -> None:
        """Stop containers, and kill those that have not ended after ``patience`` seconds."""
        _require(self.command.stop(containers, patience, seconds), "stop containers")

    def signal(self, containers: Sequence[str], name: str, seconds: float) -> None:
        """Send a signal, such as HUP, to the first process of each container."""
        with translated(f"send {name} to containers"):
            self.client(seconds).container.kill([*containers], signal=name)

    def memory(self, containers: Sequence[str]) -> Mapping[str, int]:
        """Bytes that each of these containers has in memory, by id; takes two seconds."""
        with translated("measure containers"):
            figures = self.client(CHANGE_SECONDS).container.stats([*containers])
        return {figure.container_id: figure.memory_used for figure in figures}

    def logs(
        self,
        container: str,
        *,
        since: float | None = None,
        until: float | None = None,
    ) -> list[str]:
        """Lines of a container between two moments, in seconds since the epoch."""
        outcome = self.command.logs(container, since, until, None)
        _require(outcome, "read a log")
        return outcome.text.splitlines()

    def last_lines(self, container: str, count: int) -> list[str]:
        """The last lines of a container; none when they cannot be read."""
        outcome = self.command.logs(container, None, None, count)
        return outcome.text.splitlines()[-count:] if outcome.ok else []

    def follow_logs(self, container: str, tail: int | None, *, follow: bool) -> Program:
        """A program that writes the lines of a container, and goes on with ``follow``."""
        return self.command.follow_logs(container, tail, follow=follow)

    def execute(self, container: str, *command: str, seconds: float) -> Outcome:
        """Run a command in a container that runs."""
        return self.command.execute(container, command, seconds)

    def run(
        self, image: str, program: str, *arguments: str, seconds: float, once: Once | None = None
    ) -> Outcome:
        """Run a program of an image in a container that is removed when the program ends."""
        once = once or Once()
        options = (*once.options(), "--entrypoint", program)
        return self.command.run_once(options, image, arguments, seconds, once.stdin)

    def copy_into(self, container: str, folder: str, archive: IO[bytes], seconds: float) -> None:
        """Unpack a tar archive into a folder of a container."""
        outcome = self.command.copy_into(container, folder, archive, seconds)
        _require(outcome, "copy files into a container")

    # Images

    def images(self, labels: Labels, reference: str | None = None) -> list[Image]:
        """The images with these labels and a tag that matches the reference; none without docker.

        The order is the engine's: the youngest layers first.
        """
        outcome = self.command.images(labels, reference, (".Repository", ".Tag", ".ID"))
        rows = (line.split("\t") for line in outcome.out.splitlines())
        return [Image(f"{name}:{tag}", id_) for name, tag, id_ in rows]

    def image_details(self, *tags: str) -> list[ImageDetails]:
        """More about these images, in their order; those that are missing are left out."""
        outcome = self.command.image_details(tags, IMAGE_FIELDS)
        details = []
        # Where an image is missing, docker prints an empty line.
        for line in filter(None, outcome.out.splitlines()):
            id_, size, driver, *times = line.split("\t")
            last = max(time.replace("T", " ") for time in times)
            details.append(ImageDetails(id_, int(size), driver, last))
        return details

    def save(self, image: str) -> Program:
        """A program that writes the archive of an image to its output."""
        return self.command.save(image)

    def tag_image(self, source: str, target: str) -> None:
        with translated(f"tag the image {source}"):
            self.client(CHANGE_SECONDS).image.tag(source, target)

    def remove_image(self, tag: str) -> None:
        """Remove an image. Raises DockerError for an image that a container uses."""
        with translated(f"remove the image {tag}"):
            self.client(CHANGE_SECONDS).image.remove(tag)


@cache
def current() -> Engine:
    """The engine that docker uses now: DOCKER_HOST, or that of its current context."""
    return Engine()


@contextlib.contextmanager
def translated(action: str) -> Iterator[None]:
    """Turn errors of python-on-whales into DockerError: their texts hold the command line."""
    from python_on_whales.client_config import ClientNotFoundError
    from python_on_whales.exceptions import DockerException

    try:
        yield
    except DockerException as error:
        written, errors = error.stdout or "", error.stderr or ""
        if error.return_code == TIMED_OUT and not errors:
            errors = "not done in time"
        raise DockerError(action, Outcome(error.return_code, written, errors)) from None
    except ClientNotFoundError:
        raise DockerError(action, Outcome(127, err="there is no docker command")) from None
    except ValueError:
        raise DockerError(action, Outcome(1, err="docker's answer cannot be read")) from None


def _label_fields(labels: Sequence[str]) -> Iterator[str]:
    return (f'.Label "{label}"' for label in labels)


def _resources(outcome: Outcome, action: str, shown: Sequence[str]) -> list[Resource]:
    rows = _rows(outcome, action)
    return [Resource(id_, dict(zip(shown, values, strict=True))) for id_, *values in rows]


def _rows(outcome: Outcome, action: str) -> list[list[str]]:
    _require(outcome, action)
    return [line.split("\t") for line in outcome.out.splitlines()]


def _require(outcome: Outcome, action: str) -> None:
    if not outcome.ok:
        raise DockerError(action, outcome)
