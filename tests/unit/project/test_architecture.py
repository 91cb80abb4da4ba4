"""docs/architecture.md names files that exist, and all hooks that the plugin implements."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from harness.core.paths import ROOT

PAGE = (ROOT / "docs/architecture.md").read_text()
# Paths on the page begin at one of these directories.
STARTS = ("", "harness", "harness/stack")


def named() -> Iterator[str]:
    """The paths in backticks; `services/NAME/` stands for any service."""
    for name in re.findall(r"`([\w./-]+)`", PAGE):
        if "/" in name[1:] and not name.startswith("/"):
            yield name.partition("NAME")[0]


def exists(name: str) -> bool:
    """Whether there is such a file or directory, or a module of that name."""
    paths = [ROOT / start / f"{name}{suffix}" for start in STARTS for suffix in ("", ".py")]
    return any(path.exists() for path in paths)


def hooks(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        yield from hooks_in(path)


def hooks_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("pytest_"):
            yield node.name


def test_files_on_the_page_exist() -> None:
    names = [*named()]
    assert len(names) > 80
    assert [name for name in names if not exists(name)] == []


def test_all_hooks_are_on_the_page() -> None:
    _, _, table = PAGE.partition("## pytest's hooks")
    # `_configure_node` is short for pytest_configure_node.
    listed = {
        f"pytest{name}" if name.startswith("_") else name for name in re.findall(r"`(\w+)`", table)
    }
    implemented = {*hooks(ROOT / "harness/plugin"), *hooks(ROOT / "harness/suites")}
    assert implemented - listed == set()
    assert {name for name in listed if name.startswith("pytest_")} - implemented == set()


def test_each_hook_is_on_the_page_with_the_modules_that_implement_it() -> None:
    _, _, table = PAGE.partition("## pytest's hooks")
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    missing = [
        f"{hook} in {path.stem}"
        for path in (ROOT / "harness/plugin").glob("*.py")
        for hook in hooks_in(path)
        for short in [hook.removeprefix("pytest")]
        if path.stem != "__init__"
        and not any(
            f"`{path.stem}`" in row and (f"`{hook}`" in row or f"`{short}`" in row) for row in rows
        )
    ]
    assert missing == []
