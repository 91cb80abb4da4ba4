"""Builds the images that are missing, each as soon as its parent images exist."""

import concurrent.futures
import contextlib
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.deadline import GLANCE, Deadline, cancellable, go_on, news
from harness.core.disk import disk_full, says_disk_full
from harness.core.environment import inherited
from harness.core.errors import BuildError
from harness.core.files import private_directory
from harness.core.locks import FileLock
from harness.core.measurements import Progress
from harness.core.paths import IS_COPY, ROOT, state_root
from harness.engine import base_image
from harness.engine.compose import Compose, ca_bundle, compose_files
from harness.engine.docker import current
from harness.placements import build_context
from harness.placements.model import Placement
from harness.stack.images import code_volumes, listing
from harness.stack.images.catalogue import IMAGES, OVERLAYS, built_upon, needed
from harness.stack.images.contents import Contents
from harness.stack.model.record import Secrets

EVIDENCE_LINES = 25
# Number of builds at a time: a build does not always use a processor. More builds would delay the
# images that other builds wait for.
AT_ONCE = 1 + (os.cpu_count() or 1)
# Time limit of the wait for another run's builds. Seconds.
BUILD_SECONDS = 1800.0


@dataclass(slots=True)
class Build:
    """One image to build. ``placement`` is the placement in it, None for the locked release."""

    name: str
    content: str
    placement: Placement | None = None
    context: Path | None = None
    # The last lines of the build's output.
    lines: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"{self.name} {self.placement.title}" if self.placement else self.name


def ensure_images(contents: Contents, progress: Progress) -> list[str]:
    """Build the images that are missing, and return their names.

    Raises BuildError.
    """
    builds = _missing(contents)
    if not builds:
        return []
    with _alone(progress):
        # Another run may have built the images while this one waited for the lock.
        present = {(name, content) for name, content in listing.missing(contents.builds)}
        builds = [build for build in builds if (build.name, build.content) in present]
        if not builds:
            return []
        for debian in sorted({IMAGES[build.name].debian for build in builds}):
            base_image.ensure_base(progress, debian)
        _build_all(builds, contents, progress)
        return [build.name for build in builds]


def unpack(contents: Contents) -> None:
    """Copy the code of Python services into volumes, where the engine's storage is slow."""
    for name, content in contents.images.items():
        _unpack(name, content)


def _missing(contents: Contents) -> list[Build]:
    """The builds that are needed. The files of each placement are copied at this moment."""
    placements = {contents.of(placement): placement for placement in contents.placements}
    builds = []
    for name, content in listing.missing(contents.builds):
        placement = placements.get(content) if name == "placement" else None
        context = build_context.prepare(placement) if placement else None
        builds.append(Build(name, content, placement, context))
    return builds


@contextlib.contextmanager
def _alone(progress: Progress) -> Iterator[None]:
    """Let one run build at a time: two runs would build the same images."""
    root = state_root()
    private_directory(root)
    with FileLock(root / "build.lock") as lock:
        if not lock.take():
            progress(f"waiting for another run that builds the images (process {lock.holder()})")
            if not lock.wait(Deadline.after(BUILD_SECONDS), GLANCE):
                raise BuildError(
                    f"Another run, process {lock.holder()}, has been building the images for "
                    f"{BUILD_SECONDS / 60:.0f} minutes.",
                    "See what it does, end it, and run again.",
                )
        yield


def _build_all(builds: Sequence[Build], contents: Contents, progress: Progress) -> None:
    """Build all of these images, each in a thread; the first failure ends the other builds."""
    stop = threading.Event()
    # An image that many others wait for comes first.
    waiting = sorted(builds, key=lambda build: -len(built_upon(build.name)))
    running: dict[concurrent.futures.Future[None], Build] = {}
    unpacking: list[concurrent.futures.Future[None]] = []

    def work(build: Build) -> None:
        with cancellable(stop):
            _build(build, contents, progress)

    def now(seconds: float) -> str:
        # Copy the list, since other threads change it.
        under_way = [*running.values()]
        titles = ", ".join(build.title for build in under_way)
        steps = [build.lines[-1].strip()[:100] for build in under_way if build.lines]
        return f"building {titles} ({seconds:.0f} s)" + (f": {steps[0]}" if steps else "")

    progress(f"building {', '.join(build.title for build in builds)}")
    with news(progress, now), concurrent.futures.ThreadPoolExecutor() as pool:
        try:
            while waiting or running:
                unfinished = [*waiting, *running.values()]
                ready = [build for build in waiting if _is_ready(build, unfinished, contents)]
                for build in ready[: AT_ONCE - len(running)]:
                    waiting.remove(build)
                    running[pool.submit(work, build)] = build
                go_on()
                first = concurrent.futures.FIRST_COMPLETED
                for done in concurrent.futures.wait(running, GLANCE, first).done:
                    build = running.pop(done)
                    done.result()
                    # Other builds need not wait for the volumes, which only services read.
                    unpacking.append(pool.submit(_unpack, build.name, build.content))
            for done in unpacking:
                done.result()
        except BaseException:
            # The pool's end waits until the other builds have ended.
            stop.set()
            raise


def _is_ready(build: Build, unfinished: Iterable[Build], contents: Contents) -> bool:
    """Whether all images that a build reads are there."""
    reads = {(name, contents.images.get(name)) for name in IMAGES[build.name].upon}
    return not any((other.name, other.content) in reads for other in unfinished)


def _build(build: Build, contents: Contents, progress: Progress) -> None:
    variables = {
        **inherited(),
        # Compose wants values for the secrets, though a build does not use them.
        **Secrets().environment(),
        "HARNESS_CA_BUNDLE": ca_bundle(),
        **contents.variables(),
        IMAGES[build.name].variable: build.content,
        **({"HARNESS_PLACEMENT_CONTEXT": str(build.context)} if build.context else {}),
    }

    def heard(line: str) -> None:
        build.lines[:] = [*build.lines[1 - EVIDENCE_LINES :], line]

    began = time.monotonic()
    if not Compose(current(), compose_files(OVERLAYS)).build(build.name, variables, heard):
        _raise(build)
    image = IMAGES[build.name]
    # A trial's images are not what compose.yaml is to start by hand.
    is_latest = build.content == contents.locked[build.name] and not IS_COPY
    listing.keep(image, build.content, latest=is_latest)
    progress(f"built {build.title} in {time.monotonic() - began:.0f} s")


def _raise(build: Build) -> None:
    """Raise BuildError for a build that has failed."""
    if says_disk_full("\n".join(build.lines)):
        raise disk_full(f"building {build.title}", build.lines)
    raise BuildError(
        f"The image could not be built: {build.title}.",
        "The build's last lines are below; for all of them, in a checkout of the project: "
        f"make .env && {_by_hand(build.name)}",
        evidence=build.lines,
    )


def _by_hand(name: str) -> str:
    """The command that builds an image by hand; compose.yaml does not have all images."""
    plain = {*needed("mariadb", "env"), *needed("mariadb", "file")}
    files = [] if name in plain else compose_files(OVERLAYS)
    words = [word for file in files for word in ("-f", str(file.relative_to(ROOT)))]
    return " ".join(["docker compose", *words, "build", name])


def _unpack(name: str, content: str) -> None:
    if "python" in IMAGES[name].upon:
        code_volumes.ensure(IMAGES[name].tag(content))
