"""Digests of the files that images are made of: an image with a new digest has to be built."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.engine.compose import compose_files
from harness.placements.model import Placement
from harness.placements.specs import newest
from harness.stack.images.catalogue import IMAGES, OVERLAYS, files

LENGTH = 16


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of the images of a run, as they were at one moment.

    ``images`` maps the names of images to their contents. ``locked`` is the same with the locked
    release of placement. ``placements`` are the placements that replicas take turns with; empty for
    the locked release alone. ``made_of`` is a digest of the stack's Compose files and images,
    except images of placements.
    """

    images: Mapping[str, str]
    locked: Mapping[str, str]
    placements: tuple[Placement, ...]
    made_of: str

    @property
    def newest(self) -> Placement | None:
        """The placement whose schema databases get; None for the locked release alone."""
        return newest(self.placements) if self.placements else None

    @property
    def builds(self) -> list[tuple[str, str]]:
        """The images that the run needs, as (name, content): one for each placement."""
        placements = dict.fromkeys(map(self.of, self.placements))
        others = [digest for digest in placements if digest != self.images.get("placement")]
        return [*self.images.items(), *(("placement", digest) for digest in others)]

    def of(self, placement: Placement) -> str:
        """The content of a placement's image."""
        if placement.locked:
            return self.locked["placement"]
        parents = " ".join(self.locked[name] for name in IMAGES["placement"].upon)
        return _short(hashlib.sha256(f"{placement.content} {parents}".encode()))

    def variables(self) -> dict[str, str]:
        """The contents, under the names of compose.yaml's variables."""
        return {IMAGES[name].variable: content for name, content in self.images.items()}


def contents_of(
    names: Iterable[str], placements: Sequence[Placement] = (), override: Path | None = None
) -> Contents:
    """The contents that these images have now. Databases get the newest placement's schema.

    ``override`` is the user's Compose file, which changes ``made_of`` but no image.
    """
    names = [*names]
    locked: dict[str, str] = {}
    for name, image in IMAGES.items():
        locked[name] = _digest(name, [locked[parent] for parent in image.upon])
    made_of = hashlib.sha256()
    for file in [*compose_files(OVERLAYS), *([override] if override else [])]:
        made_of.update(file.read_bytes())
    for name in names:
        made_of.update(locked[name].encode())
    plain = Contents({n: locked[n] for n in names}, locked, (*placements,), _short(made_of))
    chosen = plain.newest
    if chosen is None or chosen.locked:
        return plain
    images = {name: _with(chosen, name, plain) for name in names}
    return Contents(images, locked, plain.placements, plain.made_of)


def _with(placement: Placement, name: str, plain: Contents) -> str:
    """The content of an image in a stack whose newest placement is this one."""
    if name == "placement":
        return plain.of(placement)
    upon = IMAGES[name].upon
    if "placement" not in upon:
        return plain.locked[name]
    # A database is made anew when its schema changes, and not with every other edit.
    schema = placement.schema.digest
    return _digest(
        name, [schema if image == "placement" else plain.locked[image] for image in upon]
    )


def _digest(name: str, parents: Iterable[str]) -> str:
    """Digest of an image's files and parents; Debian's packages are not part of it."""
    image = IMAGES[name]
    digest = hashlib.sha256(image.debian.encode())
    for path in files(image):
        # Modes are left out, since installers may change them: Dockerfiles set the modes.
        digest.update(f"{path.relative_to(image.directory).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    for parent in parents:
        digest.update(parent.encode())
    return _short(digest)


def _short(digest: "hashlib._Hash") -> str:
    return digest.hexdigest()[:LENGTH]
