"""Lists the images on the machine, moves the tag `latest`, and removes old images."""

from collections.abc import Iterable, Mapping, Sequence

from harness.engine.docker import current
from harness.engine.values import DockerError
from harness.stack.images import code_volumes
from harness.stack.images.catalogue import IMAGES, Image
from harness.stack.images.contents import Contents

CONTENT_LABEL = "placement-harness.content"


def present() -> Mapping[str, str]:
    """The id of each image that the harness has built, by its tag."""
    return {image.tag: image.id for image in current().images({CONTENT_LABEL: None})}


def missing(builds: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The given images, as (name, content), that are not on the machine."""
    ids = present()
    return [(name, content) for name, content in builds if IMAGES[name].tag(content) not in ids]


def claim_latest(contents: Contents) -> None:
    """Tag these images as `latest`, which compose.yaml uses when it is started by hand.

    Another checkout may have moved the tag since this one built its images.
    """
    ids = present()
    for name in contents.images:
        wanted, latest = IMAGES[name].tag(contents.locked[name]), IMAGES[name].tag("latest")
        if wanted in ids and ids[wanted] != ids.get(latest):
            current().tag_image(wanted, latest)


def keep(image: Image, built: str, *, latest: bool) -> None:
    """Note that the image with this content is in use, and remove the least recently used ones."""
    # The engine notes the time of the tag. The image's own time is that of its layers, which may
    # come from the build cache.
    tag = image.tag("latest" if latest else built)
    current().tag_image(image.tag(built), tag)
    listed = current().images({}, reference=image.tag("*"))
    tags = [tagged.tag.rpartition(":")[2] for tagged in listed]
    contents = [tag for tag in tags if tag not in ("latest", built)]
    for old in _last_wanted_first(image, contents)[image.kept - 1 :]:
        # The engine refuses to remove an image that a container uses.
        try:
            current().remove_image(image.tag(old))
        except DockerError:
            continue
        code_volumes.remove(image.tag(old))


def _last_wanted_first(image: Image, contents: Sequence[str]) -> Sequence[str]:
    if not contents:
        return []
    details = current().image_details(*map(image.tag, contents))
    if len(details) != len(contents):
        # An image was removed meanwhile. Keep the engine's order, by the age of the layers.
        return contents
    uses = zip((detail.last_use for detail in details), contents, strict=True)
    return [content for _, content in sorted(uses, reverse=True)]
