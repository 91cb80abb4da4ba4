"""Copies the code of images into volumes, where the engine's storage is slow to read.

fuse-overlayfs asks another process about each path. A volume is a plain directory of the host: it
saves 0.14 of 1.14 CPU seconds of a replica's imports, 0.34 of 1.81 of keystone's (medians of 5 by
turns, 2026-11-25), and so 0.8 of the 9 CPU seconds of `up` with three replicas. A volume is filled
when its image is built, and removed with it. Without a volume, a service runs from its image.
"""

import contextlib
from collections.abc import Iterable
from typing import Any

from harness.core.deadline import GLANCE, Deadline
from harness.core.files import private_directory
from harness.core.locks import FileLock
from harness.core.paths import state_root
from harness.engine.docker import Engine, current
from harness.engine.values import DockerError

SLOW = frozenset({"fuse-overlayfs"})
# The directories that an image of a Python service consists of.
FOLDERS = ("/opt", "/usr")
LABEL = "placement-harness.code"
# This volume marks the other volumes as complete: an engine may end while it copies.
WHOLE = "whole"
# Timeout of the wait for another run that unpacks, which takes 6 s on an idle machine.
UNPACK_SECONDS = 120.0


def ensure(image: str) -> None:
    """Copy an image's code into volumes, where that is faster to read, unless that was done."""
    if _name(image, WHOLE) in _present(current()) or _driver(image) not in SLOW:
        return
    private_directory(state_root())
    with FileLock(state_root() / "unpack.lock") as lock:
        # Two processes would remove each other's volumes. After a timeout the image is used as is.
        free = lock.wait(Deadline.after(UNPACK_SECONDS), GLANCE)
        if free and _name(image, WHOLE) not in _present(current()):
            _unpack(image)


def _unpack(image: str) -> None:
    remove(image)
    engine, labels = current(), {LABEL: image}
    engine.fill_volumes(image, {_name(image, folder): folder for folder in FOLDERS}, labels)
    engine.create_volume(_name(image, WHOLE), labels)


def mount(project: dict[str, Any], engine: Engine, services: Iterable[str]) -> None:
    """Let these services of a project read their code from volumes, where their engine has any."""
    present = _present(engine)
    for service in (project["services"][name] for name in services):
        image = service.get("image", "")
        if _name(image, WHOLE) not in present:
            continue
        for folder in FOLDERS:
            volume = _name(image, folder)
            project.setdefault("volumes", {})[volume] = {"name": volume, "external": True}
            entry, entries = f"{volume}:{folder}:ro", service.setdefault("volumes", [])
            if entry not in entries:
                entries.append(entry)


def remove(image: str) -> None:
    """Remove an image's volumes, except those that a stack still uses."""
    present = _present(current())
    names = [_name(image, part) for part in (WHOLE, *FOLDERS)]
    with contextlib.suppress(DockerError):
        current().remove_volumes([name for name in names if name in present])


def _present(engine: Engine) -> set[str]:
    """Names of an engine's volumes with code.

    Empty if they cannot be listed: images work without them.
    """
    try:
        return {volume.id for volume in engine.volumes({LABEL: None})}
    except DockerError:
        return set()


def _driver(image: str) -> str:
    details = current().image_details(image)
    return details[0].driver if details else ""


def _name(image: str, part: str) -> str:
    return f"{image.replace('/', '-').replace(':', '-')}-{part.strip('/')}"
