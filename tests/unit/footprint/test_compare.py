"""Two footprints compared, limits, what is saved, and the page."""

import json
import re
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.footprint import gate, measure, pages, text
from harness.footprint.compare import compare, name_of
from tests.unit.footprint.images import footprint

BEFORE = footprint(
    [("/a", 100, "SQLAlchemy 2.1.8"), ("/b", 50, "repoze.lru 0.7"), ("/c", 7, "gone 1.0")],
    {"sqlalchemy": ("SQLAlchemy 2.1.8", "placement"), "placement": ("openstack-placement 1", "")},
    title="placement 15.0.0",
)
AFTER = footprint(
    [("/a", 140, "SQLAlchemy 2.1.9"), ("/b", 50, "repoze-lru 0.8"), ("/d", 1000, "heavy 1")],
    {
        "sqlalchemy": ("SQLAlchemy 2.1.9", "placement"),
        "placement": ("openstack-placement 1", ""),
        "heavy": ("heavy 1", "placement"),
        "heavy.inner": ("heavy 1", "heavy"),
    },
)


def test_the_changes_add_up_and_name_the_import_that_made_them() -> None:
    difference = compare(BEFORE, AFTER)
    assert sum(change.bytes for change in difference.changes) == difference.bytes == 1033
    assert [(c.distribution, c.bytes, c.modules, c.cause) for c in difference.changes] == [
        ("heavy", 1000, 2, ("placement", "heavy")),
        ("sqlalchemy", 40, 0, None),
        ("gone", -7, 0, None),
    ]


def test_a_footprint_beside_itself_has_no_change() -> None:
    difference = compare(AFTER, AFTER)
    assert difference.changes == []
    assert "nothing differs" in [*text.difference(difference)]


@pytest.mark.parametrize(
    ("distribution", "name"),
    [("oslo.config 10.7.0", "oslo-config"), ("Python's standard library", None), ("pbr 7", "pbr")],
)
def test_a_distribution_is_the_same_in_another_version(distribution: str, name: str) -> None:
    assert name_of(distribution) == (name or distribution)


def test_limits_that_hold_say_nothing() -> None:
    assert [*gate.beyond(AFTER, gate.Limits(AFTER.size, len(AFTER.modules)), None)] == []


def test_limits_that_are_passed_name_the_largest_parts() -> None:
    size, modules = gate.beyond(AFTER, gate.Limits(1000, 3), None)
    assert size == (
        "The image has 1.2 kB, 0.2 kB more than 1.0 kB. "
        "The largest parts: heavy 1 1.0 kB; SQLAlchemy 2.1.9 0.1 kB; repoze-lru 0.8 0.1 kB."
    )
    assert modules.startswith("placement imports 4 modules, 1 more than 3. Most are of heavy 1 2;")


def test_limits_that_are_passed_name_what_has_grown_and_by_which_import() -> None:
    since = compare(BEFORE, AFTER)
    size, modules = gate.beyond(AFTER, gate.Limits(1000, 3), since)
    assert (
        "Since placement 15.0.0, these have grown: heavy by 1.0 kB (placement imports heavy);"
        in size
    )
    assert "heavy by 2 modules (placement imports heavy)." in modules


@pytest.mark.parametrize(
    ("written", "size"),
    [("60MB", 60_000_000), ("900 kB", 900_000), ("1.5MiB", 1_572_864), ("123", 123)],
)
def test_sizes_are_read(written: str, size: int) -> None:
    assert gate.size(written) == size


@pytest.mark.parametrize("written", ["", "MB", "60 parsecs", "-1MB", "1e3"])
def test_what_is_no_size_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="is no size"):
        gate.size(written)


def test_a_saved_footprint_is_read_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    path.write_text(text.document(AFTER))
    assert compare(measure.saved(path), AFTER).changes == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "holds no JSON"),
        ("[]", "is no footprint"),
        ('{"format": 99}', "of format 1"),
        ('{"format": 1}', "lacks parts of a footprint"),
    ],
)
def test_a_file_that_is_no_footprint_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "base.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=problem):
        measure.saved(path)


def test_the_page_has_all_of_it_and_loads_nothing() -> None:
    page = pages.page(AFTER)
    match = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    data = json.loads(match[1])
    assert sum(part[3] for part in data["parts"]) == data["size"] == AFTER.size
    assert [module[0] for module in data["modules"]] == [*AFTER.distributions]
    assert not re.search(r"(src|href)=", page)
