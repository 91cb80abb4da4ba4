"""The tag that compose.yaml takes when it is used by hand."""

from collections.abc import Iterable

from harness.core.process import run
from harness.stack.images.build import CONTENT_LABEL, IMAGES, content


def claim(names: Iterable[str]) -> None:
    """Let `latest` be what this checkout makes; another one may have built, or claimed, since."""
    listing = run(
        *("docker", "image", "ls", "--filter", f"label={CONTENT_LABEL}"),
        *("--format", "{{.Repository}}:{{.Tag}}\t{{.ID}}"),
        seconds=30,
    )
    ids = dict(line.split("\t") for line in listing.out.splitlines() if "\t" in line)
    for name in names:
        own, latest = IMAGES[name].tag(content(name)), IMAGES[name].tag("latest")
        if own in ids and ids[own] != ids.get(latest):
            run("docker", "tag", own, latest, seconds=30)
