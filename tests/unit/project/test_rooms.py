"""Modules stay small. Which room may import which is import-linter's to check (make lint)."""

from pathlib import Path

import harness

PACKAGE = Path(harness.__file__).parent


def test_modules_stay_small() -> None:
    sizes = {path: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {path.name: size for path, size in sizes.items() if size >= 300} == {}


def test_the_root_holds_no_modules() -> None:
    assert {path.name for path in PACKAGE.iterdir() if path.is_file()} == {
        "__init__.py",
        "py.typed",
    }


def test_every_room_says_what_is_done_in_it() -> None:
    rooms = [path for path in PACKAGE.rglob("__init__.py") if "__pycache__" not in path.parts]
    assert [path for path in rooms if not path.read_text().startswith('"""')] == []
