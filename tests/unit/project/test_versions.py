"""Private parts of other libraries are used in a few modules, with known versions."""

import re
from pathlib import Path

import pytest

import harness
from tests import versions

PACKAGE = Path(harness.__file__).parent
PRIVATE = re.compile(
    r"\b_pytest\b(?!_)|import xdist\b|from xdist\b|config\.option\.|known_args_namespace"
    r"|EXIT_TIMEOUT|\.args_source|config\.args\b|_use_item_location|isinitpath"
)
# Its class is a subclass of xdist's as a whole.
SUBCLASS = PACKAGE / "plugin/xdist_scheduler.py"


def test_private_parts_are_touched_in_compat_modules_alone() -> None:
    found = {
        f"{path.relative_to(PACKAGE)}: {match[0]}"
        for path in PACKAGE.rglob("*.py")
        if not path.name.endswith("_compat.py") and path != SUBCLASS
        for match in PRIVATE.finditer(path.read_text())
    }
    assert found == set()


@pytest.mark.parametrize("library", versions.LIBRARIES)
def test_libraries_with_private_parts_have_both_bounds(library: str) -> None:
    oldest, too_new = versions.bounds()[library]
    assert tuple(map(int, oldest.split("."))) < tuple(map(int, too_new.split(".")))


def test_the_oldest_versions_are_pinned_and_the_newest_are_bounded() -> None:
    assert "pytest==8.4" in versions.requirements("oldest")
    assert "pytest<10" in versions.requirements("newest")
