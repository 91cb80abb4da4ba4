"""The configuration sources: environment, file and etcd."""

import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.paths import SERVICES
from harness.engine.compose import Up
from harness.stack.clients import etcd
from harness.stack.model import composing, containers, copies, oslo_settings
from harness.stack.model.lanes import SERVICE, ReplicaId
from harness.stack.model.state import StackState

Settings = Mapping[str, str]
# The folder in which placement looks for its file by default.
FOLDER = "/etc/placement"
# The user that the images run as.
USER = 10001


def _nothing(settings: Settings, replica: ReplicaId) -> Settings:
    return {}


def _no_work(*_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Source:
    """A configuration source.

    ``images`` and ``services`` are needed besides those of every stack, ``overlay`` is the Compose
    file that adds them, ``volumes`` are mounted in each replica. ``environment`` makes a replica's
    variables from its settings. ``deliver`` hands the settings to the replicas: the source's
    services run then, and the replicas are created but not started. ``forget`` removes the settings
    of removed replicas, unless they were removed with the container. ``require`` raises StackError
    if a replica that starts again would find no settings.
    """

    name: str
    title: str
    environment: Callable[[Settings, ReplicaId], Settings] = _nothing
    deliver: Callable[[StackState, Mapping[ReplicaId, Settings]], None] | None = None
    forget: Callable[[StackState, Sequence[ReplicaId]], None] = _no_work
    require: Callable[[StackState], None] = _no_work
    images: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    overlay: Path | None = None
    volumes: tuple[str, ...] = ()


def start(
    source: Source, state: StackState, settings: Mapping[ReplicaId, Settings], what: Up
) -> None:
    """Let Compose start a stack that is configured by this source, or parts of the stack."""
    if source.deliver is not None:
        # Replicas are made and not started: the services that they ask have to run first.
        composing.start(state, replace(what, start=False))
        if source.services:
            composing.start(state, Up(source.services, recreate=False))
        source.deliver(state, settings)
    composing.start(state, what)


def _folder(settings: Settings, replica: ReplicaId) -> Settings:
    """Variable with the folder of a replica's file, which all lanes but the first one need."""
    inside = replica.folder
    return {"OS_PLACEMENT_CONFIG_DIR": f"{FOLDER}/{inside}"} if inside else {}


def _copy_files(state: StackState, settings: Mapping[ReplicaId, Settings]) -> None:
    """Copy a placement.conf into each replica's container, readable by its service alone."""
    places = containers.of_replicas(state, settings)
    by_number = {containers.number_of(container): container for container in places}
    for replica, values in settings.items():
        container = by_number[replica.number]
        remedy = "See whether the container exists: placement-harness status."
        with copies.archive_for(container, FOLDER, "placement.conf", SERVICE, remedy) as tar:
            _pack(tar, replica.folder, oslo_settings.file(values))


def _pack(tar: tarfile.TarFile, folder: str, text: str) -> None:
    """Add one placement.conf, which the service alone can read."""
    content = text.encode()
    if folder:
        above = tarfile.TarInfo(folder)
        above.type, above.mode, above.uid, above.gid = tarfile.DIRTYPE, 0o500, USER, USER
        tar.addfile(above)
    entry = tarfile.TarInfo(f"{folder}/placement.conf".lstrip("/"))
    entry.size, entry.mode, entry.uid, entry.gid = len(content), 0o400, USER, USER
    tar.addfile(entry, io.BytesIO(content))


def _variables(settings: Settings, replica: ReplicaId) -> Settings:
    return oslo_settings.variables(settings)


SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source("env", "environment alone", environment=_variables),
        Source(
            "file", "placement.conf", environment=_folder, deliver=_copy_files, volumes=(FOLDER,)
        ),
        Source(
            "etcd",
            "etcd",
            environment=etcd.environment,
            deliver=etcd.deliver,
            forget=etcd.forget,
            require=etcd.require,
            images=("etcd",),
            services=("etcd",),
            overlay=SERVICES / "etcd" / "compose.yaml",
        ),
    )
}
