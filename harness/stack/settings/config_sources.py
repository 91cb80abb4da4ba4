"""How replicas get their configuration."""

import io
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.core.errors import StackError
from harness.core.paths import ROOT
from harness.core.process import run
from harness.engine.compose import compose_up
from harness.stack.clients import etcd
from harness.stack.model import lanes, oslo_settings
from harness.stack.model.state import StackState

Settings = Mapping[str, str]
# Where placement looks for its file by itself.
FOLDER = "/etc/placement"
# Whom the images run as.
USER = 10001
COPY_SECONDS = 30.0


def _nothing(settings: Settings, owner: str) -> Settings:
    return {}


def _no_work(*_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Source:
    """A configuration source.

    ``images`` and ``services`` are what it needs besides those of every stack, ``overlay`` the
    Compose file that adds them, ``volumes`` what it needs in each replica. ``environment`` are the
    variables of a replica, by whose they are (``lanes.owner``). ``deliver`` gives the settings to
    whom they are for: when the source's services run and replicas are made, but before they
    start. ``forget`` removes those of replicas that are gone, where they do not go with them.
    ``require`` raises StackError where a replica that starts again would find nothing.
    """

    name: str
    title: str
    environment: Callable[[Settings, str], Settings] = _nothing
    deliver: Callable[[StackState, Mapping[str, Settings]], None] | None = None
    forget: Callable[[StackState, Sequence[str]], None] = _no_work
    require: Callable[[StackState], None] = _no_work
    images: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    overlay: Path | None = None
    volumes: tuple[str, ...] = ()


def start(source: Source, state: StackState, settings: Mapping[str, Settings], *how: str) -> None:
    """Let Compose start a stack whose replicas are configured that way; ``how`` is for it."""
    if source.deliver is not None:
        # Replicas are made, and wait; what they ask has to run.
        compose_up(state, "--no-start", *how)
        if source.services:
            compose_up(state, "--no-recreate", *source.services)
        source.deliver(state, settings)
    compose_up(state, *how)


def _folder(settings: Settings, owner: str) -> Settings:
    """Where a replica finds its file, which is not where it looks for it by itself: of lane 2."""
    inside = lanes.folder(owner)
    return {"OS_PLACEMENT_CONFIG_DIR": f"{FOLDER}/{inside}"} if inside else {}


def _copy_files(state: StackState, settings: Mapping[str, Settings]) -> None:
    """Put a placement.conf into each replica: a file of its own, that others cannot read."""
    for owner, own in settings.items():
        container = lanes.container(state.name, lanes.number(owner))
        with tempfile.TemporaryFile() as archive:
            _pack(archive, lanes.folder(owner), oslo_settings.file(own))
            archive.seek(0)
            copy = ("docker", "cp", "-", f"{container}:{FOLDER}")
            copied = run(*copy, seconds=COPY_SECONDS, stdin=archive)
        if not copied.ok:
            raise StackError(
                f"placement.conf could not be copied into {container}: {copied.reason}.",
                "See whether it is there: placement-harness status.",
                service="placement",
            )


def _pack(archive: IO[bytes], folder: str, text: str) -> None:
    """Write a tar archive with one placement.conf, which the service alone can read."""
    content = text.encode()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        if folder:
            above = tarfile.TarInfo(folder)
            above.type, above.mode, above.uid, above.gid = tarfile.DIRTYPE, 0o500, USER, USER
            tar.addfile(above)
        entry = tarfile.TarInfo(f"{folder}/placement.conf".lstrip("/"))
        entry.size, entry.mode, entry.uid, entry.gid = len(content), 0o400, USER, USER
        tar.addfile(entry, io.BytesIO(content))


def _variables(settings: Settings, owner: str) -> Settings:
    return oslo_settings.variables(settings)


SOURCES: Mapping[str, Source] = {
    one.name: one
    for one in (
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
            overlay=ROOT / "services" / "etcd" / "compose.yaml",
        ),
    )
}
