"""Which images are on the machine, which of them `latest` names, and which are old."""

from collections.abc import Iterable, Mapping, Sequence

from harness.core.process import run
from harness.stack.images import code_volumes
from harness.stack.images.catalogue import IMAGES, Image
from harness.stack.images.contents import Contents

CONTENT_LABEL = "placement-harness.content"
LIST_SECONDS = 30
REMOVE_SECONDS = 60


def present() -> Mapping[str, str]:
    """The id of each image that the harness has built, by its tag."""
    listing = run(
        *("docker", "image", "ls", "--filter", f"label={CONTENT_LABEL}"),
        *("--format", "{{.Repository}}:{{.Tag}}\t{{.ID}}"),
        seconds=LIST_SECONDS,
    )
    return dict(line.split("\t") for line in listing.out.splitlines() if "\t" in line)


def missing(builds: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of these images, as (name, content), that are not on the machine."""
    ids = present()
    return [(name, content) for name, content in builds if IMAGES[name].tag(content) not in ids]


def claim_latest(contents: Contents) -> None:
    """Let compose.yaml, used by hand, take these images: another checkout may have built since."""
    ids = present()
    for name in contents.images:
        wanted, latest = IMAGES[name].tag(contents.locked[name]), IMAGES[name].tag("latest")
        if wanted in ids and ids[wanted] != ids.get(latest):
            run("docker", "tag", wanted, latest, seconds=LIST_SECONDS)


def keep(image: Image, built: str, *, latest: bool) -> None:
    """Keep the image of this content, as ``latest`` too, and remove what was wanted long ago."""
    # The engine notes the time of the tag: an image of known layers is as old as its layers.
    tag = image.tag("latest" if latest else built)
    run("docker", "tag", image.tag(built), tag, seconds=LIST_SECONDS)
    words = ("docker", "image", "ls", "--format", "{{.Tag}}", image.tag("*"))
    tags = run(*words, seconds=LIST_SECONDS).out.split()
    contents = [tag for tag in tags if tag not in ("latest", built)]
    for old in _last_wanted_first(image, contents)[image.kept - 1 :]:
        # The engine refuses to remove an image that a container has.
        if run("docker", "rmi", image.tag(old), seconds=REMOVE_SECONDS).ok:
            code_volumes.remove(image.tag(old))


def _last_wanted_first(image: Image, contents: Sequence[str]) -> Sequence[str]:
    if not contents:
        return []
    words = ("docker", "image", "inspect", "--format", "{{.Created}}|{{.Metadata.LastTagTime}}")
    inspected = run(*words, *map(image.tag, contents), seconds=LIST_SECONDS)
    lines = inspected.out.splitlines() if inspected.ok else []
    if len(lines) != len(contents):
        # The engine's own order: by the age of the layers.
        return contents
    times = [max(time.replace("T", " ") for time in line.split("|")) for line in lines]
    return [content for _, content in sorted(zip(times, contents, strict=True), reverse=True)]
