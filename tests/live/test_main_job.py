"""What `make run` does: all of gabbits/ is green, again and again, and leaves nothing."""

import re

import pytest

from tests.live._live import ROOT, Commands, long

GABBITS = str(ROOT / "gabbits")
# Tables that suites write -> the condition for rows that are not placement's own. Aggregates are
# missing: placement deletes none.
WRITTEN = {
    "resource_providers": "",
    "allocations": "",
    "inventories": "",
    "consumers": "",
    "traits": "WHERE name LIKE 'CUSTOM_%'",
    "resource_classes": "WHERE name LIKE 'CUSTOM_%'",
}


def left_in_the_database(up: Commands) -> dict[str, int]:
    found = {}
    with up.stack().database() as connection, connection.cursor() as cursor:
        for table, where in WRITTEN.items():
            cursor.execute(f"SELECT COUNT(*) FROM {table} {where}")
            row = cursor.fetchone()
            assert row is not None
            found[table] = row[0]
    return found


# A run that leaves nothing cannot disturb the next one. The long tests prove it with a second run.
@pytest.mark.parametrize("times", [1, long(2)])
def test_all_suites_are_green_on_three_replicas_and_leave_nothing(up: Commands, times: int) -> None:
    before = left_in_the_database(up)
    for _ in range(times):
        said = up.pytest("--stack", "reuse", GABBITS)
        assert re.search(r"replica 1 \d+, replica 2 \d+, replica 3 \d+", said)
        assert re.search(r"=+ \d{4} passed, \d+ deselected in ", said), said[-500:]
    assert left_in_the_database(up) == before
