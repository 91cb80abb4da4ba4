"""Reads the files of an image from the archive that `docker save` writes.

The engine counts the size of an image as the bytes of the regular files of its layers, whether a
later layer hides them or not. The sizes here add up to that figure, to the byte.
"""

import json
import posixpath
import re
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import IO

from harness.core.errors import UsageError

# Marks of a layer: a file that it removes from the layers below, a directory that it empties.
REMOVED, EMPTIED = ".wh.", ".wh..wh..opq"
# Files whose text says what other files belong to.
RECORDS = re.compile(
    r"""/(?:
        [^/]+\.dist-info/(?:RECORD|METADATA)   # the files of a Python distribution
      | var/lib/dpkg/info/[^/]+\.list          # the files of a Debian package
      | [^/]+/bytecode\.archive                # services/python/bytecode.py
    )$""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class File:
    """A regular file of a layer; ``size`` in bytes. A later layer hides a file that is hidden."""

    path: str
    size: int
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Files:
    """The regular files of an image, layer by layer, links to them, and the texts of records."""

    files: tuple[File, ...]
    links: Mapping[str, str]
    records: Mapping[str, bytes]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def visible(self) -> Iterable[File]:
        return (file for file in self.files if not file.hidden)


@dataclass(slots=True)
class _Layer:
    files: dict[str, File]
    links: dict[str, str]
    records: dict[str, bytes]
    removed: set[str]
    emptied: set[str]

    def hides(self, path: str) -> bool:
        """Whether the file at a path of a lower layer is not seen through this layer."""
        if path in self.files or path in self.links:
            return True
        above = path
        while above not in ("", "/"):
            if above in self.removed:
                return True
            above = posixpath.dirname(above)
            if above in self.emptied:
                return True
        return False


def read(stream: IO[bytes]) -> Files:
    """Read the archive of one image. Raises UsageError if it is none.

    The archive is read once, from its beginning to its end: nothing is written to a disk.
    """
    layers: dict[str, _Layer] = {}
    texts: dict[str, bytes] = {}
    aliases: dict[str, str] = {}
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                if member.issym():
                    # The same layer twice is a link to the first one.
                    target = posixpath.join(posixpath.dirname(member.name), member.linkname)
                    aliases[member.name] = posixpath.normpath(target)
                content = archive.extractfile(member) if member.isreg() else None
                if content is None:
                    continue
                if member.name.endswith(".json"):
                    texts[member.name] = content.read()
                elif layer := _layer(content):
                    layers[member.name] = layer
        (manifest,) = json.loads(texts["manifest.json"])
        order = [layers[aliases.get(name, name)] for name in manifest["Layers"]]
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise UsageError(
            f"docker save wrote no archive of one image ({type(error).__name__}).",
            "Name an image that is there: docker image ls.",
        ) from error
    return _stacked(order)


def _layer(content: IO[bytes]) -> _Layer | None:
    """The files of a layer; None for a file of the archive that is no layer."""
    layer = _Layer({}, {}, {}, set(), set())
    try:
        with tarfile.open(fileobj=content, mode="r|*") as archive:
            for member in archive:
                _take(layer, member, archive)
    except tarfile.ReadError:
        return None
    return layer


def _take(layer: _Layer, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
    path = f"/{posixpath.normpath(member.name).lstrip('/')}"
    folder, name = posixpath.split(path)
    if name == EMPTIED:
        layer.emptied.add(folder)
    elif name.startswith(REMOVED):
        layer.removed.add(posixpath.join(folder, name.removeprefix(REMOVED)))
    elif member.issym() or member.islnk():
        layer.links[path] = member.linkname
    elif member.isreg():
        layer.files[path] = File(path, member.size)
        if RECORDS.search(path) and (content := archive.extractfile(member)):
            layer.records[path] = content.read()


def _stacked(layers: list[_Layer]) -> Files:
    files: list[File] = []
    links: dict[str, str] = {}
    records: dict[str, bytes] = {}
    for number, layer in enumerate(layers):
        above = layers[number + 1 :]
        for path, file in layer.files.items():
            hidden = any(other.hides(path) for other in above)
            files.append(replace(file, hidden=hidden))
            if not hidden and path in layer.records:
                records[path] = layer.records[path]
        links |= {
            path: target
            for path, target in layer.links.items()
            if not any(other.hides(path) for other in above)
        }
    return Files((*files,), links, records)
