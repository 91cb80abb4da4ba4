"""Says to which distribution and package each file of an image belongs.

Every byte belongs to one part. Bytecode belongs to what its source belongs to, also where all of it
is in one archive (services/python/bytecode.py).
"""

import marshal
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.footprint.image import File, Files

# Groups for what is part of no distribution.
STDLIB = "Python's standard library"
INTERPRETER = "Python's interpreter"
LIBRARIES = "shared libraries"
HIDDEN = "hidden by later layers"
OTHERS = "other files"
INDEX = "index of the bytecode"
ARCHIVE = "bytecode.archive"
SITE = re.compile(r"^(?P<site>.*/lib/python3[^/]*/(?:site|dist)-packages)/(?P<rest>.+)")
PYTHON = re.compile(r"/bin/python3?[\d.]*$|/libpython3")
LIBRARY = re.compile(r"\.so(\.[\d.]+)?$")
STANDARD = re.compile(r"^.*/lib/python3\.\d+/(?P<rest>.+)")
CACHED = re.compile(r"(?P<folder>.*/)__pycache__/(?P<name>[^/.]+)\.[^/]+\.pyc$")
HEAD = 8


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of an image. Bytecode in an archive is a part of its own, named by its source's path.

    ``package`` is a dotted name of a Python package, or the folder of other files.
    """

    path: str
    size: int
    distribution: str
    package: str


class Owners:
    """Knows which distribution, Debian package or group a file of an image belongs to."""

    def __init__(self, records: Mapping[str, bytes]) -> None:
        self._installed = _installed(records)
        self._debian = _debian(records)

    def of(self, path: str) -> str:
        """The distribution, or the group, that a file belongs to."""
        source = source_of(path)
        if owner := self._installed.get(source):
            return owner
        if posixpath.basename(source) == ARCHIVE:
            return INDEX
        if site := SITE.match(source):
            top = site["rest"].partition("/")[0]
            # A file that was made after the installation is in a folder that a distribution owns.
            return self._installed.get(f"{site['site']}/{top}", f"{top} (of no distribution)")
        if STANDARD.match(source):
            return STDLIB
        if PYTHON.search(source):
            return INTERPRETER
        if owner := self._debian.get(source) or self._debian.get(source.removeprefix("/usr")):
            return f"{owner} (Debian)"
        return LIBRARIES if LIBRARY.search(source) else OTHERS

    def of_module(self, path: str) -> str:
        """The same for a module's file; modules without a file are the interpreter's."""
        return self.of(path) if path.startswith("/") else INTERPRETER


def parts(files: Files, owners: Owners) -> list[Part]:
    """The parts of an image: their sizes add up to those of its files."""
    image: list[Part] = []
    for file in files.files:
        if file.hidden:
            image.append(Part(file.path, file.size, HIDDEN, posixpath.dirname(file.path)))
            continue
        inside = [file]
        if file.path in files.records and posixpath.basename(file.path) == ARCHIVE:
            inside = [*_archive(file, files.records[file.path])]
        image += (
            Part(part.path, part.size, owners.of(part.path), package_of(part.path))
            for part in inside
        )
    return image


def source_of(path: str) -> str:
    """The source of bytecode; any other file is its own."""
    cached = CACHED.match(path)
    return f"{cached['folder']}{cached['name']}.py" if cached else path


def package_of(path: str) -> str:
    """The Python package of a file, e.g. sqlalchemy.orm; a folder for a file of no package."""
    source = source_of(path)
    inside = SITE.match(source) or STANDARD.match(source)
    if inside is None:
        return posixpath.dirname(source)
    folder, _, name = inside["rest"].rpartition("/")
    return folder.replace("/", ".") or name.partition(".")[0]


def _installed(records: Mapping[str, bytes]) -> dict[str, str]:
    """The distribution of each installed file, and of each folder at the top of site-packages."""
    owners: dict[str, str] = {}
    tops: dict[str, dict[str, int]] = {}
    for path, text in records.items():
        folder, name = posixpath.split(path)
        if name != "RECORD":
            continue
        site = posixpath.dirname(folder)
        title = _title(records.get(f"{folder}/METADATA", b""), posixpath.basename(folder))
        owners[folder] = title
        for line in text.decode(errors="replace").splitlines():
            # A path with a comma is quoted; no distribution here has one.
            listed = line.rsplit(",", 2)[0].strip('"')
            file = posixpath.normpath(posixpath.join(site, listed))
            owners[source_of(file)] = title
            if file.startswith(f"{site}/"):
                top = f"{site}/{file.removeprefix(f'{site}/').partition('/')[0]}"
                counts = tops.setdefault(top, {})
                counts[title] = counts.get(title, 0) + 1
    for top, counts in tops.items():
        owners.setdefault(top, max(counts, key=lambda title: counts[title]))
    return owners


def _title(metadata: bytes, folder: str) -> str:
    """A distribution's name and version, e.g. SQLAlchemy 2.0.44."""
    fields: dict[str, str] = {}
    for line in metadata.decode(errors="replace").splitlines():
        if not line:
            break
        name, _, value = line.partition(": ")
        fields.setdefault(name, value)
    if "Name" in fields:
        return f"{fields['Name']} {fields.get('Version', '')}".strip()
    return folder.removesuffix(".dist-info").replace("-", " ")


def _debian(records: Mapping[str, bytes]) -> dict[str, str]:
    """The Debian package of each file, where the image has dpkg's lists."""
    packages: dict[str, str] = {}
    for path, text in records.items():
        if path.endswith(".list"):
            package = posixpath.basename(path).removesuffix(".list").partition(":")[0]
            packages |= dict.fromkeys(text.decode(errors="replace").splitlines(), package)
    return packages


def _archive(file: File, content: bytes) -> Iterator[File]:
    """The bytecode in an archive, module by module, and the rest: its index."""
    size = int.from_bytes(content[:HEAD], "little")
    index = file.size
    for source, _, length in marshal.loads(content[HEAD : HEAD + size]).values():  # noqa: S302
        index -= length
        # The path of bytecode as Python itself would write it.
        folder, name = posixpath.split(source)
        yield File(f"{folder}/__pycache__/{name.removesuffix('.py')}.archived.pyc", length)
    yield File(file.path, index)


def by(parts: Iterable[Part], field: str) -> list[tuple[str, int, int]]:
    """Name, bytes and number of files of each distribution, package or path: the largest first."""
    sizes: dict[str, tuple[int, int]] = {}
    for part in parts:
        name = getattr(part, field)
        size, count = sizes.get(name, (0, 0))
        sizes[name] = size + part.size, count + 1
    return sorted(((n, s, c) for n, (s, c) in sizes.items()), key=lambda row: (-row[1], row[0]))
