"""The images: in which order they are built, and when they need not be."""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.errors import BuildError
from harness.results import Progress
from harness.stack import provision
from harness.stack.commands import disk_full, follow, run, says_disk_full
from harness.stack.compose import ROOT, ca_bundle, compose_words
from harness.state import FileLock, Secrets, state_root
from harness.timing import GLANCE, Deadline

CONTENT_LABEL = "placement-harness.content"
EVIDENCE_LINES = 25
SECONDS_BETWEEN_LINES = 5.0
# What another run's build may take.
BUILD_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Image:
    """One folder of services/, built upon other images."""

    name: str
    upon: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        return f"placement-harness/{self.name}"


IMAGES: Mapping[str, Image] = {
    image.name: image
    for image in (
        Image("python"),
        Image("apache"),
        Image("memcached"),
        Image("placement", upon=("python",)),
        Image("keystone", upon=("python",)),
        Image("mariadb", upon=("keystone", "placement")),
    )
}


def ensure_images(progress: Progress) -> list[str]:
    """Build what is missing or out of date, side by side where it can be; name what was built."""
    contents = current_contents()
    if not stale(contents):
        return []
    with _alone(progress):
        # Whoever built before this may have built just that.
        left = stale(contents)
        if not left:
            return []
        provision.ensure_base(progress)
        built = []
        for wave in waves(left):
            _build(wave, contents, progress)
            built += wave
        return built


def current_contents() -> dict[str, str]:
    """What each image would be made of now."""
    return {name: content(name) for name in IMAGES}


def stale(contents: Mapping[str, str]) -> set[str]:
    """The images that are missing, or made of something else."""
    present = built_contents()
    return {name for name in IMAGES if present.get(name) != contents[name]}


@contextlib.contextmanager
def _alone(progress: Progress) -> Iterator[None]:
    """Let no two runs build the same images side by side: they would fight for the processors."""
    root = state_root()
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(root / "build.lock") as lock:
        if not lock.take():
            progress(f"waiting for another run that builds the images (process {lock.holder()})")
            for _ in Deadline.after(BUILD_SECONDS).every(GLANCE):
                if lock.take():
                    break
            else:
                raise BuildError(
                    f"Another run, process {lock.holder()}, has been building the images for "
                    f"{BUILD_SECONDS / 60:.0f} minutes.",
                    "See what it does, end it, and run again.",
                )
        yield


def content(name: str) -> str:
    """A digest of everything that an image is made of, but for what Debian serves that day."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "services" / name).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.name}\0{path.stat().st_mode & 0o111}\0".encode())
            digest.update(path.read_bytes())
    for other in IMAGES[name].upon:
        digest.update(content(other).encode())
    return digest.hexdigest()[:16]


def built_contents() -> dict[str, str]:
    """What each image that is there was made of."""
    listing = run(
        *("docker", "image", "ls", "--filter", f"label={CONTENT_LABEL}"),
        *("--format", "{{.Repository}}:{{.Tag}}"),
        seconds=30,
    )
    tags = {f"{image.tag}:latest" for image in IMAGES.values()}
    there = [tag for tag in listing.out.split() if tag in tags]
    if not there:
        return {}
    template = f'{{{{index .Config.Labels "{CONTENT_LABEL}"}}}}'
    labels = run("docker", "image", "inspect", "--format", template, *there, seconds=30)
    names = [tag.removeprefix("placement-harness/").removesuffix(":latest") for tag in there]
    return dict(zip(names, labels.out.split("\n"), strict=False))


def waves(names: Iterable[str]) -> list[list[str]]:
    """The images in the order of their building; those of one wave do not need each other."""
    left = set(names)
    ordered = []
    while left:
        wave = sorted(name for name in left if not left & set(IMAGES[name].upon))
        ordered.append(wave)
        left -= set(wave)
    return ordered


def _build(names: list[str], contents: Mapping[str, str], progress: Progress) -> None:
    environment = {
        **os.environ,
        # Interpolated, and of no use to a build.
        **Secrets().environment(),
        "HARNESS_CA_BUNDLE": ca_bundle(),
        **{f"HARNESS_CONTENT_{name.upper()}": contents[name] for name in names},
    }
    what = ", ".join(names)
    progress(f"building {what}")
    began = told = time.monotonic()
    last: list[str] = []

    def heard(line: str) -> None:
        nonlocal told, last
        last = [*last[1 - EVIDENCE_LINES :], line]
        if time.monotonic() - told > SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            progress(f"building {what} ({told - began:.0f} s): {line.strip()[:100]}")

    if follow(["docker", *compose_words(), "build", *names], heard, environment):
        if says_disk_full("\n".join(last)):
            raise disk_full(f"building {what}", last)
        raise BuildError(
            f"The image could not be built: {what}.",
            "The build's last lines are below; `make images` shows all of them.",
            evidence=last,
        )
    progress(f"built {what} in {time.monotonic() - began:.0f} s")
