"""Copies images from one engine to another, through this machine and no registry."""

from collections.abc import Sequence

from harness.core.process import Outcome
from harness.engine.docker import Engine
from harness.engine.values import DockerError

# Time limit of a copy: seven images take 20 s between two engines of one machine.
COPY_SECONDS = 900.0


def copy(source: Engine, target: Engine, images: Sequence[str]) -> None:
    """Copy images, in one archive: layers that they share go once. Raises DockerError."""
    archive = source.command.save(*images)
    try:
        loaded = target.command.load(archive.output, COPY_SECONDS)
        if not loaded.ok:
            raise DockerError("load images", loaded)
        # An engine that lacks an image writes no archive, and an empty one loads nothing.
        if archive.wait(COPY_SECONDS) != 0:
            raise DockerError("save images", Outcome(archive.code or 1, err="images are missing"))
    finally:
        archive.end()
        archive.close()
