"""The images: in which order they are built, and when they need not be."""

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.core.deadline import GLANCE, Deadline, news
from harness.core.errors import BuildError
from harness.core.files import private_directory
from harness.core.locks import FileLock
from harness.core.measurements import Progress
from harness.core.paths import ROOT, state_root
from harness.core.process import disk_full, follow, inherited, run, says_disk_full
from harness.engine import base_image
from harness.engine.compose import ca_bundle, compose_files, compose_words
from harness.placements import build_context
from harness.placements.model import Placement
from harness.placements.specs import newest
from harness.stack.images import code_volumes
from harness.stack.model.record import Secrets
from harness.stack.settings.config_sources import SOURCES
from harness.stack.settings.databases import DATABASES

# Of a service's folder, what no image has: a driver's tests, and what running them leaves.
NO_PART = {"tests", "__pycache__", ".mypy_cache", ".pytest_cache"}
CONTENT_LABEL = "placement-harness.content"
EVIDENCE_LINES = 25
# What another run's build may take.
BUILD_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Image:
    """One folder of services/, that of its name or another one, built upon other images."""

    name: str
    upon: tuple[str, ...] = ()
    folder: str | None = None
    # Whose packages it is made of.
    debian: str = base_image.DEBIAN
    # So many contents of it are kept, for other checkouts and for the way back.
    kept: int = 4

    def tag(self, content: str) -> str:
        """Its name with this content; several checkouts of the project may each have their own."""
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
        Image("mariadb", upon=("keystone", "placement"), kept=8),
        Image("etcd"),
        Image("mariadb-10.11", upon=("keystone", "placement"), folder="mariadb", debian="bookworm"),
        Image("haproxy"),
    )
}
# Where builds are described, besides compose.yaml.
OVERLAYS = {
    *(one.overlay for one in DATABASES.values() if one.overlay),
    *(one.overlay for one in SOURCES.values() if one.overlay),
}
# What every stack has, besides its database and where its configuration comes from.
ALWAYS = ("apache", "memcached", "placement", "keystone")


def needed(database: str, config_source: str) -> list[str]:
    """The images of such a stack, and what they are built upon."""
    wanted = [*ALWAYS, *DATABASES[database].images, *SOURCES[config_source].images]
    for name in wanted:
        # Grows while it is gone through.
        wanted += [other for other in IMAGES[name].upon if other not in wanted]
    return [name for name in IMAGES if name in wanted]


def ensure_images(
    progress: Progress, names: Iterable[str], placements: Sequence[Placement] = ()
) -> list[str]:
    """Build what is missing or out of date, side by side where it can be; name what was built."""
    contents = current_contents(names, placements)
    beside = {content_of(one): one for one in placements}
    beside.pop(contents.get("placement", ""), None)
    if not stale(contents) and not _stale_placements(beside):
        return []
    with _alone(progress):
        # Whoever built before this may have built just that.
        left = stale(contents)
        others = _stale_placements(beside)
        if not left and not others:
            return []
        for debian in sorted({IMAGES[name].debian for name in left}):
            base_image.ensure_base(progress, debian)
        built = []
        chosen = newest(placements) if placements else None
        for wave in waves(left):
            _build(wave, contents, progress, chosen)
            built += wave
        for own in others:
            _build(["placement"], {**contents, "placement": own}, progress, beside[own])
            built.append("placement")
        return built


def current_contents(names: Iterable[str], placements: Sequence[Placement] = ()) -> dict[str, str]:
    """What each of these images would be made of now; of several placements, the newest's."""
    return {name: content(name, placements) for name in names}


def content_of(placement: Placement) -> str:
    """The same of a placement's image."""
    if placement.locked:
        return content("placement")
    upon = " ".join(content(name) for name in IMAGES["placement"].upon)
    own = f"{placement.content} {upon}"
    return hashlib.sha256(own.encode()).hexdigest()[:16]


def _stale_placements(contents: Iterable[str]) -> list[str]:
    return [one for one in contents if stale({"placement": one})]


def stale(contents: Mapping[str, str]) -> set[str]:
    """The images that are missing, or made of something else."""
    listing = run(
        *("docker", "image", "ls", "--filter", f"label={CONTENT_LABEL}"),
        *("--format", "{{.Repository}}:{{.Tag}}"),
        seconds=30,
    )
    present = set(listing.out.split())
    return {name for name, one in contents.items() if IMAGES[name].tag(one) not in present}


def environment(contents: Mapping[str, str]) -> dict[str, str]:
    """The images of these contents, as compose.yaml names them."""
    return {f"HARNESS_CONTENT_{_variable(name)}": one for name, one in contents.items()}


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name).upper()


@contextlib.contextmanager
def _alone(progress: Progress) -> Iterator[None]:
    """Let no two runs build the same images side by side: they would fight for the processors."""
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


def content(name: str, placements: Sequence[Placement] = ()) -> str:
    """A digest of everything that an image is made of, but for what Debian serves that day.

    A database is made by the newest of several placements, and anew when its schema changes.
    """
    chosen = newest(placements) if placements else None
    if chosen is None or chosen.locked:
        chosen = None
    elif name == "placement":
        return content_of(chosen)
    image = IMAGES[name]
    digest = hashlib.sha256(image.debian.encode())
    folder = ROOT / "services" / (image.folder or name)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not NO_PART & {*path.relative_to(folder).parts}:
            digest.update(f"{path.name}\0{path.stat().st_mode & 0o111}\0".encode())
            digest.update(path.read_bytes())
    for other in image.upon:
        if chosen is not None and other == "placement":
            digest.update(chosen.schema.digest.encode())
        else:
            digest.update(content(other, placements).encode())
    return digest.hexdigest()[:16]


def made_of(database: str, config_source: str) -> str:
    """A digest of what such a stack is made of, whatever placements it runs."""
    digest = hashlib.sha256()
    for file in compose_files(sorted(OVERLAYS)):
        digest.update(file.read_bytes())
    for one in current_contents(needed(database, config_source)).values():
        digest.update(one.encode())
    return digest.hexdigest()[:16]


def waves(names: Iterable[str]) -> list[list[str]]:
    """The images in the order of their building; those of one wave do not need each other."""
    left = set(names)
    ordered = []
    while left:
        wave = sorted(name for name in left if not left & set(IMAGES[name].upon))
        ordered.append(wave)
        left -= set(wave)
    return ordered


def _build(
    names: list[str],
    contents: Mapping[str, str],
    progress: Progress,
    placement: Placement | None = None,
) -> None:
    variables = {
        **inherited(),
        # Interpolated, and of no use to a build.
        **Secrets().environment(),
        "HARNESS_CA_BUNDLE": ca_bundle(),
        **environment(contents),
    }
    what = ", ".join(names)
    if placement is not None and "placement" in names:
        variables["HARNESS_PLACEMENT_CONTEXT"] = str(build_context.prepare(placement))
        what = what.replace("placement", f"placement {placement.title}")
    progress(f"building {what}")
    began = time.monotonic()
    last: list[str] = []

    def heard(line: str) -> None:
        last[:] = [*last[1 - EVIDENCE_LINES :], line]

    def now(seconds: float) -> str:
        step = f": {last[-1].strip()[:100]}" if last else ""
        return f"building {what} ({seconds:.0f} s){step}"

    files = compose_files(sorted(OVERLAYS))
    # Not the checkout's .env either: that is for stacks that are started by hand.
    words = [*compose_words(files), "--env-file", os.devnull, "build", *names]
    with news(progress, now):
        failed = follow(["docker", *words], heard, variables)
    if failed:
        if says_disk_full("\n".join(last)):
            raise disk_full(f"building {what}", last)
        raise BuildError(
            f"The image could not be built: {what}.",
            "The build's last lines are below; for all of them, in the checkout: "
            f"make .env && {_by_hand(names)}",
            evidence=last,
        )
    for name in names:
        _tidy(IMAGES[name], contents[name])
        unpack(name, contents[name])
    progress(f"built {what} in {time.monotonic() - began:.0f} s")


def _by_hand(names: Iterable[str]) -> str:
    """How a person builds these images; those that compose.yaml has not are in the overlays."""
    plain = {*needed("mariadb", "env"), *needed("mariadb", "file")}
    files = [] if plain >= {*names} else compose_files(sorted(OVERLAYS))
    words = [word for file in files for word in ("-f", str(file.relative_to(ROOT)))]
    return " ".join(["docker compose", *words, "build", *names])


def _tidy(image: Image, built: str) -> None:
    """Let compose.yaml, when it is used by hand, take this one, unless it is of another placement
    than the locked one; remove those of long ago."""
    name = "latest" if built == content(image.name) else built
    # Tells the engine, too, that it was wanted now: one of known layers is as old as these.
    run("docker", "tag", image.tag(built), image.tag(name), seconds=30)
    listing = run("docker", "image", "ls", "--format", "{{.Tag}}", image.tag("*"), seconds=30)
    contents = [tag for tag in listing.out.split() if tag not in ("latest", built)]
    # One that a container still has is not removed.
    for old in _last_wanted_first(image, contents)[image.kept - 1 :]:
        if run("docker", "rmi", image.tag(old), seconds=60).ok:
            code_volumes.remove(image.tag(old))


def unpack(name: str, content: str) -> None:
    """Let a service of Python's be read from where that is quick."""
    if "python" in IMAGES[name].upon:
        code_volumes.ensure(IMAGES[name].tag(content))


def _last_wanted_first(image: Image, contents: list[str]) -> list[str]:
    words = ("docker", "image", "inspect", "--format", "{{.Created}}|{{.Metadata.LastTagTime}}")
    said = run(*words, *map(image.tag, contents), seconds=30) if contents else None
    lines = said.out.splitlines() if said and said.ok else []
    if len(lines) != len(contents):
        # As the engine lists them: by the age of what is in them.
        return contents
    wanted = [max(time.replace("T", " ") for time in line.split("|")) for line in lines]
    return [one for _, one in sorted(zip(wanted, contents, strict=True), reverse=True)]
