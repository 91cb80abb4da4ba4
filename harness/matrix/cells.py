"""Cells of a matrix: the kinds of stacks on which suites are run."""

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from harness.config.plan import DEFAULT_REPLICAS, number_of_replicas
from harness.config.resolve import one_of
from harness.core.errors import UsageError
from harness.stack.settings.config_sources import SOURCES
from harness.stack.settings.databases import DATABASES

DATABASE, SOURCE = "mariadb", "env"
RELEASES = ("13.0.0", "14.0.0", "15.0.0", "16.0.0")
MIXED = ("15.0.0", "16.0.0")
# Separators on the command line: of cells, and of the placements of one cell.
BETWEEN, BESIDE = ",", "+"
KEYS = ("name", "database", "config-source", "placement", "replicas", "suite")
# A cell's name is also the name of its directory and a part of its CI job's name.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of stack.

    Empty ``placements`` stand for the default of a run, empty ``suites`` for the command's suites.
    """

    name: str
    database: str = DATABASE
    config_source: str = SOURCE
    placements: tuple[str, ...] = ()
    replicas: int = DEFAULT_REPLICAS
    suites: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """Options of pytest for this cell. `matrix` takes the same ones, but for placements."""
        return (
            *("--replicas", str(self.replicas)),
            *("--database", self.database),
            *("--config-source", self.config_source),
            # One word: pytest would take a path in a word of its own for a path of tests.
            *(f"--placement={placement}" for placement in self.placements),
        )


@dataclass(frozen=True, slots=True)
class Axes:
    """The user's values of each option; a value can name several, separated by commas."""

    databases: Sequence[str] = ()
    sources: Sequence[str] = ()
    placements: Sequence[str] = ()
    replicas: Sequence[str] = ()

    def __bool__(self) -> bool:
        return any((self.databases, self.sources, self.placements, self.replicas))


def chosen(given: str | None, axes: Axes, only: str | None = None) -> list[Cell]:
    """Cells of a named set or a file, or the product of the options; without both, every cell.

    Raises UsageError for values that make no sense, and when no cell matches ``only``.
    """
    if given is not None and axes:
        raise UsageError(
            f"--cells {given} says which cells there are, and so do --database, --config-source, "
            "--placement and --replicas.",
            "Leave one of the two away.",
        )
    cells = product(axes) if axes else _given("all" if given is None else given)
    if only is None:
        return cells
    try:
        matches = [cell for cell in cells if re.search(only, cell.name)]
    except re.error as error:
        raise UsageError(
            f"--only {only} is no regular expression: {error}.", "Give one, e.g. --only galera."
        ) from error
    if not matches:
        raise UsageError(
            f"--only {only} is found in no cell's name.",
            f"Give a part of one of {', '.join(cell.name for cell in cells)}.",
        )
    return matches


def everything() -> list[Cell]:
    """Each database, source and release with the defaults of the rest, and mixed releases."""
    placements = [(), *((release,) for release in RELEASES), MIXED]
    return _distinct(
        [
            *(_named(Cell("", database=name)) for name in DATABASES),
            *(_named(Cell("", config_source=name)) for name in SOURCES),
            *(_named(Cell("", placements=specs)) for specs in placements),
        ]
    )


def smoke() -> list[Cell]:
    """Three cells: another database, another config source, and mixed releases."""
    return [
        _named(Cell("", database="galera")),
        _named(Cell("", config_source="etcd")),
        _named(Cell("", placements=MIXED)),
    ]


BUILT_IN = {"all": everything, "smoke": smoke}


def product(axes: Axes) -> list[Cell]:
    """All combinations of the values. Raises UsageError for an unknown value."""
    placements = [
        tuple(filter(None, specs.split(BESIDE))) for specs in _split("--placement", axes.placements)
    ]
    combined = itertools.product(
        _known("--database", axes.databases, DATABASES, "database") or [DATABASE],
        _known("--config-source", axes.sources, SOURCES, "config source") or [SOURCE],
        placements or [()],
        [
            number_of_replicas(count, f"--replicas {count}")
            for count in _split("--replicas", axes.replicas)
        ]
        or [DEFAULT_REPLICAS],
    )
    return _distinct(_named(Cell("", *values)) for values in combined)


def _split(option: str, values: Iterable[str]) -> list[str]:
    parts = [part.strip() for value in values for part in value.split(BETWEEN)]
    if not all(parts):
        raise UsageError(
            f"{option} {BETWEEN.join(values)} has an empty value.",
            f"Give one, or several with {BETWEEN} between them.",
        )
    return parts


def _known(option: str, values: Iterable[str], known: Collection[str], what: str) -> list[str]:
    return [one_of(known, value, f"{option} {value}", what) for value in _split(option, values)]


def _named(cell: Cell) -> Cell:
    """The cell with a name made of its values."""
    placements = BESIDE.join(Path(spec).expanduser().resolve().name for spec in cell.placements)
    parts = (cell.database, cell.config_source, placements, f"{cell.replicas}")
    name = "-".join(filter(None, parts))
    return replace(cell, name=re.sub(r"[^A-Za-z0-9._+-]", "_", name)[:80])


def _distinct(cells: Iterable[Cell]) -> list[Cell]:
    """Each cell once. Cells that share a name, as two checkouts can, get numbers."""
    names: dict[str, int] = {}
    distinct = []
    for cell in dict.fromkeys(cells):
        names[cell.name] = number = names.get(cell.name, 0) + 1
        distinct.append(cell if number == 1 else replace(cell, name=f"{cell.name}-{number}"))
    return distinct


# Files


@dataclass(frozen=True, slots=True)
class _Entry:
    """One cell of a file, and its place in that file, for messages."""

    where: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def refuse(self, key: str, needed: str) -> UsageError:
        return UsageError(f"{self.where}: {key}: {self.values[key]!r} makes no sense.", needed)


def _given(name: str) -> list[Cell]:
    if name in BUILT_IN:
        return BUILT_IN[name]()
    path = Path(name).expanduser()
    # A single word without a suffix is a misspelt name of a set, not a path.
    if not path.exists() and path.suffix not in (".yaml", ".yml") and path.name == name:
        one_of(BUILT_IN, name, f"--cells {name}", "set of cells, and no such file")
    try:
        text = path.read_text()
        written = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(
            f"--cells {name} cannot be read: {why}.",
            f"Give a file, or one of {', '.join(BUILT_IN)}.",
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        why = getattr(error, "problem", None) or getattr(error, "reason", error)
        raise UsageError(
            f"{where} is no YAML: {why}.",
            "Write a list of cells, as docs/matrix.md shows.",
        ) from error
    if not isinstance(written, list) or not written:
        raise UsageError(
            f"{name} has no list of cells.", "Write a list of cells, as docs/matrix.md shows."
        )
    cells = list(_read(name, written))
    for cell in cells:
        if sum(other.name == cell.name for other in cells) > 1:
            raise UsageError(
                f"{name} has several cells {cell.name}.", "Give each a name of its own."
            )
    return cells


def _read(file: str, written: Sequence[Any]) -> Iterator[Cell]:
    for number, values in enumerate(written, 1):
        where = f"{file}, cell {number}"
        if not isinstance(values, Mapping):
            raise UsageError(f"{where} is no mapping: {values!r}.", f"Give it {', '.join(KEYS)}.")
        for key in values:
            one_of(KEYS, str(key), f"{where}: {key}", "key")
        entry = _Entry(where, values)
        cell = Cell(
            "",
            one_of(DATABASES, *_word(entry, "database", DATABASE), "database"),
            one_of(SOURCES, *_word(entry, "config-source", SOURCE), "config source"),
            _words(entry, "placement"),
            number_of_replicas(values.get("replicas", DEFAULT_REPLICAS), f"{where}: replicas"),
            _words(entry, "suite"),
        )
        if "name" not in values:
            yield _named(cell)
            continue
        name = values["name"]
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise entry.refuse("name", "Give letters, digits, . _ + and -, up to 80 of them.")
        yield replace(cell, name=name)


def _word(entry: _Entry, key: str, default: str) -> tuple[str, str]:
    """A value, and the words that name it in a message."""
    value = entry.values.get(key, default)
    return str(value), f"{entry.where}: {key} {value}"


def _words(entry: _Entry, key: str) -> tuple[str, ...]:
    value = entry.values.get(key, [])
    several = value if isinstance(value, list) else [value]
    # YAML reads 16.10 as the number 16.1: a version has to be a text.
    if not all(isinstance(word, str) and word for word in several):
        raise entry.refuse(key, "Give a text, in quotes if it looks like a number, or a list.")
    return tuple(several)
