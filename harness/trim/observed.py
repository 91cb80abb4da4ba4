"""Reads the needs of placement's processes, as inside/replica.py notes them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.process import Outcome

MARK = "trim: "


@dataclass(slots=True)
class Observed:
    """Names that were imported or asked for, files that were opened, and functions that ran.

    ``loaded`` and ``served`` map the path of a module to the first of its functions that ran before
    the first request, and since then. ``used`` are names of modules that were cut, and wanted.
    """

    imports: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    loaded: dict[str, str] = field(default_factory=dict)
    served: dict[str, str] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)

    def add(self, lines: Iterable[str]) -> None:
        for line in lines:
            kind, _, rest = line.partition(" ")
            path, _, name = rest.partition(" ")
            if kind == "import":
                self.imports.add(rest)
            elif kind == "open":
                self.opened.add(rest)
            elif kind == "load":
                self.loaded.setdefault(path, name)
            elif kind == "serve":
                self.served.setdefault(path, name)
            elif kind == "used" and rest not in self.used:
                self.used.append(rest)


def of_folder(folder: Path) -> Observed:
    """The notes of replicas, which they have written into a folder."""
    observed = Observed()
    for path in sorted(folder.iterdir()):
        observed.add(path.read_text(errors="replace").splitlines())
    return observed


def clear(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def lines_of(outcome: Outcome) -> list[str]:
    """The lines of a program that ran in a container of its own."""
    lines = (line for line in outcome.err.splitlines() if line.startswith(MARK))
    return [line.removeprefix(MARK) for line in lines]
