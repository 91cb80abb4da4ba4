"""Compares what is in a placement database at two moments, by digests of its rows."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

# Table -> key of a row -> digest of the row.
Rows = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class TableChange:
    """The difference of a table: numbers of rows, and the digest of all of them at the end."""

    name: str
    rows: int
    added: int
    changed: int
    removed: int
    digest: str

    @property
    def is_same(self) -> bool:
        return not (self.added or self.changed or self.removed)

    @property
    def only_grew(self) -> bool:
        return not (self.changed or self.removed)

    def __str__(self) -> str:
        if self.is_same:
            return f"{self.name:<28} {self.rows:>7} rows  {self.digest}  the same"
        counts = {"added": self.added, "changed": self.changed, "removed": self.removed}
        what = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        return f"{self.name:<28} {self.rows:>7} rows  {self.digest}  {what}"


def compare(before: Rows, after: Rows) -> list[TableChange]:
    """The change of each table, in the tables' order; a table may be there at one moment only."""
    return [
        _table(name, before.get(name, {}), after.get(name, {}))
        for name in sorted(before.keys() | after.keys())
    ]


def _table(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> TableChange:
    return TableChange(
        name,
        len(after),
        len(after.keys() - before.keys()),
        sum(before[key] != after[key] for key in before.keys() & after.keys()),
        len(before.keys() - after.keys()),
        digest(after),
    )


def digest(rows: Mapping[str, str]) -> str:
    """Digest of a table's rows, whatever their order."""
    lines = "\n".join(f"{key} {value}" for key, value in sorted(rows.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:12]
