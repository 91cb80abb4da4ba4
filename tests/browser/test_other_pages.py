"""The pages of checks and of footprints in a real browser: what they show, and no error."""

from pathlib import Path

import pytest

from harness.consistency import check
from harness.consistency.history import Operation, Outcome, Strike, Writer
from harness.consistency.page import page as page_of_checks
from harness.footprint.pages import page as page_of_a_footprint
from tests.browser._chromium import Page
from tests.unit.footprint.images import footprint

FOOTPRINT = footprint(
    [("/a", 140_000, "SQLAlchemy 2.1.9"), ("/b", 50_000, "heavy 1")],
    {
        "placement": ("openstack-placement 1", ""),
        "sqlalchemy": ("SQLAlchemy 2.1.9", "placement"),
        "heavy": ("heavy 1", "placement"),
    },
)


@pytest.fixture(scope="module")
def history(folder: Path) -> Path:
    """Twelve claims of ten CPUs, of which a fault meets some."""
    path = folder / "history.jsonl"
    header = {"workload": "capacity", "seed": 1, "database": "mariadb", "replicas": 3}
    writer = Writer(path, header, 0.0)
    for process in range(12):
        number = writer.invoke(process, 3, "claim", [f"r3/c{process}", 1], process % 3 + 1, 0.1)
        done = Operation(number, process, 3, "claim", 0.1, outcome=Outcome.OK, status=204)
        writer.complete(done, 0.2 + process / 100)
    writer.strike(Strike("kill-replica", "placement-1", 0.15, 0.15, 0.21))
    writer.table("allocations", [[f"r3/c{n}", "r3/host", "VCPU", 1] for n in range(12)])
    writer.table("consumers", [[f"r3/c{n}", 1] for n in range(12)])
    writer.close(complete=True)
    return path


@pytest.mark.parametrize("dark", [False, True])
def test_a_check_is_shown_over_time_and_round_by_round(
    page: Page, folder: Path, history: Path, dark: bool
) -> None:
    path = folder / "checks.html"
    path.write_text(page_of_checks([check.judged(history, ())]))
    page.open(path, dark=dark)
    assert page.text("#summary") == "1 check: capacity violated"
    assert page.text("h2") == "capacity: violated"
    assert page.visible("svg") == 4
    assert page.visible("svg rect.marked") == 11
    assert page.visible("svg rect.fault") > 0
    assert page.errors == []
    assert page.requests == [path.as_uri()]


def test_a_footprint_is_a_map_that_opens_and_a_graph_of_imports(page: Page, folder: Path) -> None:
    path = folder / "footprint.html"
    path.write_text(page_of_a_footprint(FOOTPRINT))
    page.open(path)
    assert page.text("#title").startswith(FOOTPRINT.title)
    assert page.text("#totals").split("\n")[:2] == ["Image", "190.0 kB"]
    assert page.visible("#map button") == 2
    page.click("#map button")
    assert page.until(lambda: page.visible("#path button") == 2)
    assert page.text("#name") == "placement"
    assert page.text("#of") == "heavy\nsqlalchemy"
    assert page.errors == []
    assert page.requests == [path.as_uri()]
