"""Copies folders of a stack's state into containers on other hosts, which cannot mount them.

The description of a stack says which (COPIED): service -> path in the container -> folder here. In
the container, the path is a volume, since containers are read-only.
"""

import contextlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.core.errors import StackError
from harness.engine.values import Container, DockerError
from harness.stack.model import containers
from harness.stack.model.state import StackState

# Key of a description, which Compose ignores.
COPIED = "x-copied"
COPY_SECONDS = 30.0
Copied = Mapping[str, Mapping[str, str]]


def of_stack(state: StackState) -> Copied:
    """The folders to copy; none on one host, and in the description of an older harness."""
    try:
        described: Mapping[str, Copied] = json.loads(state.compose_file.read_text())
    except (OSError, ValueError):
        return {}
    return described.get(COPIED, {})


def push(state: StackState, folder: Path | None = None) -> None:
    """Copy all folders, or this one, into the containers that have them. Raises StackError."""
    copied = of_stack(state)
    wanted = {
        service: {target: source for target, source in its.items() if _is(source, folder)}
        for service, its in copied.items()
    }
    if any(wanted.values()):
        for container in containers.of_stack(state):
            for target, source in wanted.get(container.service, {}).items():
                _copy(container, target, Path(source))


def _is(source: str, folder: Path | None) -> bool:
    return folder is None or Path(source) == folder


def _copy(container: Container, target: str, source: Path) -> None:
    remedy = "See whether the container and its host are there: placement-harness status."
    with archive_for(container, target, source.name, container.service, remedy) as tar:
        _pack(tar, source)


@contextlib.contextmanager
def archive_for(
    container: Container, target: str, what: str, service: str, remedy: str
) -> Iterator[tarfile.TarFile]:
    """A tar archive to fill, which is unpacked in a folder of a container afterwards.

    Raises StackError, which says ``what`` could not be copied, with the ``remedy``.
    """
    with tempfile.TemporaryFile() as archive:
        with tarfile.open(fileobj=archive, mode="w") as tar:
            yield tar
        archive.seek(0)
        try:
            container.engine.copy_into(container.id, target, archive, COPY_SECONDS)
        except DockerError as error:
            raise StackError(
                f"{what} could not be copied into {container.name}: {error.reason}.",
                remedy,
                service=service,
            ) from None


def _pack(tar: tarfile.TarFile, folder: Path) -> None:
    """Add a folder's files, which root owns and all users can read."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
        entry.size, entry.mode = len(content), 0o644
        # A replica reads its policy anew when this time is later than before.
        entry.mtime = path.stat().st_mtime
        tar.addfile(entry, io.BytesIO(content))
