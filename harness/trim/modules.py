"""The modules and files of an image as a hierarchy: what goes when a module or a package goes."""

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.footprint.measure import Footprint
from harness.footprint.parts import STDLIB, source_of

ROOTS = {
    "site": re.compile(r"^/opt/placement/lib/python3\.\d+/site-packages/(?P<path>.+)"),
    "lib": re.compile(r"^/usr/lib/python3\.\d+/(?P<path>.+)"),
}
# placement's own modules are never cut. Metadata say which distributions, of which versions and
# under which licences, an image has: scanners and `footprint` read them. The libraries that a wheel
# brings along are loaded by the system, and no audit sees that.
OWN = "placement"
STAYS = re.compile(r"^[^/]+\.(?:dist-info|libs)/|^LICENSE")
# Written into the image when it is assembled.
MADE = frozenset({"bytecode.py", "bytecode.pth", "bytecode.archive"})


@dataclass(frozen=True, slots=True)
class File:
    """A file below one of the roots; ``size`` in bytes, with its bytecode.

    ``module`` is the name that it is imported by; empty for another file.
    """

    root: str
    path: str
    size: int
    module: str


def files(footprint: Footprint, kept: Collection[str] = ()) -> list[File]:
    """The files of an image that trim may cut; ``kept`` are modules that stay."""
    sizes: dict[tuple[str, str], int] = {}
    for part in footprint.parts:
        source = source_of(part.path)
        for root, pattern in ROOTS.items():
            match = pattern.match(source)
            if match and match["path"] not in MADE:
                key = (root, match["path"])
                sizes[key] = sizes.get(key, 0) + part.size
                break
    return [
        File(root, path, size, module)
        for (root, path), size in sorted(sizes.items())
        for module in [module_of(root, path)]
        if not is_below(module or posixpath.dirname(path).replace("/", "."), kept)
        and not (STAYS.match(path) or (root == "site" and path.startswith(f"{OWN}/")))
    ]


def module_of(root: str, path: str) -> str:
    if root == "lib":
        path = path.removeprefix("lib-dynload/")
    folder, name = posixpath.split(path)
    base, _, rest = name.partition(".")
    if rest != "py" and not rest.endswith("so"):
        return ""
    parts = [*filter(None, folder.split("/")), *(() if base == "__init__" else (base,))]
    return ".".join(parts)


def is_below(name: str, names: Collection[str]) -> bool:
    """Whether a module or one of the packages around it is among these."""
    return bool({name, *parents(name)} & {*names})


def parents(module: str) -> list[str]:
    """The packages around a module, the outermost first."""
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def patterns(cut: Iterable[File], every: Iterable[File]) -> list[tuple[str, str]]:
    """Roots and glob patterns of these files: a directory of which all goes is one pattern."""
    gone = {(file.root, file.path) for file in cut}
    stays: set[tuple[str, str]] = set()
    for file in every:
        if (file.root, file.path) not in gone:
            stays.update((file.root, folder) for folder in _folders(file.path))
    matches = set()
    for root, path in gone:
        whole = next((f for f in _folders(path) if (root, f) not in stays), None)
        matches.add((root, f"{whole}/**/*" if whole else path))
    return sorted(matches)


def _folders(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A module or package that may go. ``falls`` are the modules that are not imported then."""

    module: str
    falls: frozenset[str]
    size: int = field(compare=False, default=0)


class Graph:
    """Which module imports which, when placement is loaded."""

    def __init__(self, footprint: Footprint) -> None:
        loading = footprint.loading
        self.paths = {module.name: module.path for module in loading.modules}
        self.distributions = footprint.distributions
        self._imports: dict[str, set[str]] = {name: set() for name in self.paths}
        imported = set()
        for module in loading.modules:
            importers = [*loading.importers.get(module.name, ())]
            importers += [module.importer] if module.importer and not importers else []
            for importer in importers:
                if importer in self._imports and importer != module.name:
                    self._imports[importer].add(module.name)
                    # An import of a.b imports a before.
                    self._imports[importer].update(
                        p for p in parents(module.name) if p in self.paths
                    )
                    imported.add(module.name)
        self._roots = [
            name
            for name in self.paths
            if name.partition(".")[0] == OWN or (name not in imported and not self._package(name))
        ]

    def is_alias(self, name: str) -> bool:
        """Whether a module is there under another name as well, as requests.packages.idna is."""
        for root, pattern in ROOTS.items():
            if match := pattern.match(self.paths[name]):
                return module_of(root, match["path"]) != name
        return False

    def _package(self, name: str) -> bool:
        """Whether modules below this one are imported: it comes with them."""
        return any(other.startswith(f"{name}.") for other in self.paths)

    def without(self, module: str) -> frozenset[str]:
        """The modules that are not imported when this one, with all below it, is not there."""
        return frozenset(self._reachable("") - self._reachable(module))

    def _reachable(self, module: str) -> set[str]:
        """The modules that placement imports, unless this one and all below it are missing."""
        below = f"{module}."
        seen: set[str] = set()
        roots = (name for name in self._roots if name != module)
        waiting = [name for name in roots if not module or not name.startswith(below)]
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            waiting += [
                other
                for other in self._imports[name]
                if other not in seen
                and (not module or (other != module and not other.startswith(below)))
            ]
        return seen


def candidates(
    graph: Graph,
    sizes: Mapping[str, int],
    used: Collection[str],
    early: Collection[str],
    kept: Collection[str] = (),
) -> list[Candidate]:
    """What may go although it is imported, the largest first.

    ``used`` are the modules of which a function has served a request, ``early`` those that are
    imported before any module can be hidden, ``kept`` those that stay whatever is found.
    """
    used = {*used, *(name for name in graph.paths if is_below(name, kept))}
    possible = []
    for name, path in graph.paths.items():
        if not path.startswith("/") or name.partition(".")[0] == OWN or name in early:
            continue
        falls = graph.without(name)
        if falls & used or any(each.partition(".")[0] == OWN for each in falls):
            continue
        size = sum(sizes.get(each, 0) for each in falls)
        possible.append(Candidate(name, falls, size))
    return sorted(possible, key=lambda each: (-len(each.falls), -each.size, each.module))


def version_of(module: str, graph: Graph, python: str) -> str:
    """The distribution of a module, and its version, as a requirement."""
    distribution = graph.distributions.get(module, STDLIB)
    if distribution == STDLIB:
        return f"Python=={python}"
    name, _, version = distribution.rpartition(" ")
    return f"{name}=={version}" if name else distribution


def outermost(some: Sequence[Candidate]) -> list[Candidate]:
    """Those of which all that falls does not fall with another one, too."""
    outer: list[Candidate] = []
    for each in some:
        if not any(each.falls <= other.falls for other in outer):
            outer.append(each)
    return outer
