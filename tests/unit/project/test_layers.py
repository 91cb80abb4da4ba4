"""Imports go downwards: the layers are those of harness/__init__.py, from lowest to highest."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import harness

PACKAGE = Path(harness.__file__).parent
# Library -> the only layer that may import it.
ALONE = {"python_on_whales": "stack", "gabbi": "suites"}


def layers(docstring: str) -> dict[str, int]:
    """The height of each module or package of the harness, from the table in a docstring."""
    table = docstring.split("holds that.\n\n", 1)[1]
    lines = re.findall(r"^(\w+(?:, \w+)*) {3,}\S", table, re.MULTILINE)
    return {name: height for height, line in enumerate(lines) for name in line.split(", ")}


@dataclass(frozen=True)
class Import:
    """One import: where it stands, and the dotted name it brings in."""

    path: Path
    line: int
    name: str

    @property
    def layer(self) -> str:
        """The layer of the module that imports."""
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")

    @property
    def target(self) -> str:
        """The layer of the harness that is imported, or the library."""
        parts = self.name.split(".")
        return parts[1] if parts[0] == "harness" and len(parts) > 1 else parts[0]


def imports(path: Path, source: str) -> Iterator[Import]:
    """All imports of a module, also those inside functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            if node.module == "harness":
                for alias in node.names:
                    yield Import(path, node.lineno, f"harness.{alias.name}")
            else:
                yield Import(path, node.lineno, f"{'.' * node.level}{node.module or ''}")


def broken(one: Import, heights: dict[str, int]) -> str | None:
    """The rule that an import breaks; None when it breaks none."""
    where = f"{one.path.relative_to(PACKAGE.parent)}:{one.line}"
    if one.name.startswith("."):
        return f"{where}: relative import; write it from harness on"
    if one.target in ALONE and one.layer != ALONE[one.target]:
        return f"{where}: only harness/{ALONE[one.target]} may import {one.target}"
    if one.name.startswith("harness.") and heights[one.target] > heights[one.layer]:
        return f"{where}: {one.layer} imports {one.target}, which stands above it"
    return None


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def test_no_module_imports_from_above() -> None:
    heights = layers(harness.__doc__ or "")
    found = [broken(one, heights) for path in sources() for one in imports(path, path.read_text())]
    assert not any(found), "\n".join(line for line in found if line)


def test_every_module_has_its_layer() -> None:
    names = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in sources()}
    assert names == set(layers(harness.__doc__ or ""))


def test_modules_stay_small() -> None:
    sizes = {path: len(path.read_text().splitlines()) for path in sources()}
    assert {path.name: size for path, size in sizes.items() if size >= 300} == {}


@pytest.mark.parametrize(
    ("module", "source", "rule"),
    [
        ("errors.py", "import harness.config.plan", "errors imports plan, which stands above it"),
        (
            "targets/base.py",
            "def f():\n    from harness.suites import wire",
            "targets imports suites, which stands above it",
        ),
        ("plan.py", "from harness import auth", "plan imports auth, which stands above it"),
        ("cli.py", "import gabbi.case", "only harness/suites may import gabbi"),
        ("report/curl.py", "from .failure import x", "relative import; write it from harness on"),
    ],
)
def test_a_broken_rule_is_found_and_named(module: str, source: str, rule: str) -> None:
    path = PACKAGE / module
    (found,) = imports(path, source)
    line = source.count("\n") + 1
    message = broken(found, layers(harness.__doc__ or ""))
    assert message == f"harness/{module}:{line}: {rule}"


def test_imports_within_a_layer_and_downwards_are_fine() -> None:
    heights = layers(harness.__doc__ or "")
    source = "import json\nfrom harness.suites import wire\nfrom harness import errors, suites\n"
    found = imports(PACKAGE / "suites" / "client.py", source)
    assert [broken(one, heights) for one in found] == [None] * 4
