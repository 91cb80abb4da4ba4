"""The difference of two footprints, and what made it: it adds up to the difference of the sizes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.footprint.measure import Footprint
from harness.footprint.parts import Part


@dataclass(frozen=True, slots=True)
class Change:
    """How one distribution has changed: bytes, modules, and its largest files that changed."""

    distribution: str
    bytes: int
    modules: int
    files: Sequence[tuple[str, int]] = field(default_factory=tuple)
    # The module that was there before, and imports the first of the new ones: (importer, module).
    cause: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """The changes from one footprint to another. ``bytes`` is the sum of the changes'."""

    before: Footprint
    after: Footprint
    changes: Sequence[Change]

    @property
    def bytes(self) -> int:
        return self.after.size - self.before.size

    @property
    def modules(self) -> int:
        return len(self.after.modules) - len(self.before.modules)


SHOWN_FILES = 5


def compare(before: Footprint, after: Footprint) -> Difference:
    """The distributions that have changed, the largest change first.

    A distribution is the same one in another version.
    """
    sizes, later = _sizes(before.parts), _sizes(after.parts)
    modules, imported = _modules(before), _modules(after)
    changes = []
    for name in sorted({*sizes, *later, *modules, *imported}):
        was, now = sizes.get(name, {}), later.get(name, {})
        files = {path: now.get(path, 0) - was.get(path, 0) for path in {*was, *now}}
        largest = sorted(files.items(), key=lambda item: (-abs(item[1]), item[0]))
        new = imported.get(name, set()) - modules.get(name, set())
        count = len(imported.get(name, ())) - len(modules.get(name, ()))
        if any(files.values()) or count or new:
            shown = tuple((path, size) for path, size in largest[:SHOWN_FILES] if size)
            cause = _cause(new, before, after)
            changes.append(Change(name, sum(files.values()), count, shown, cause))
    changes.sort(key=lambda change: (-abs(change.bytes), -abs(change.modules), change.distribution))
    return Difference(before, after, changes)


def name_of(distribution: str) -> str:
    """A distribution's name without its version, as package indexes compare names."""
    name, _, version = distribution.rpartition(" ")
    if not name or not version[:1].isdigit():
        return distribution
    return re.sub(r"[-_.]+", "-", name).lower()


def _sizes(parts: Sequence[Part]) -> dict[str, dict[str, int]]:
    sizes: dict[str, dict[str, int]] = {}
    for part in parts:
        files = sizes.setdefault(name_of(part.distribution), {})
        files[part.path] = files.get(part.path, 0) + part.size
    return sizes


def _modules(footprint: Footprint) -> dict[str, set[str]]:
    modules: dict[str, set[str]] = {}
    for module, distribution in footprint.distributions.items():
        modules.setdefault(name_of(distribution), set()).add(module)
    return modules


def _cause(new: set[str], before: Footprint, after: Footprint) -> tuple[str, str] | None:
    """The import by which new modules came in: by a module that was there, if there is one."""
    old = before.distributions.keys()
    first = {module.name: module.importer for module in after.modules}
    for module in sorted(new):
        chain = _importers(module, first, after.loading.importers)
        for importer in chain:
            if importer in old:
                return importer, module
    return next(((first[m], m) for m in sorted(new) if first.get(m)), None)


def _importers(
    module: str, first: Mapping[str, str], importers: Mapping[str, Sequence[str]]
) -> Sequence[str]:
    return [*filter(None, [first.get(module, "")]), *importers.get(module, ())]
