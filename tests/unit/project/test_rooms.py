"""The contracts of import-linter hold every room but those that may import a library."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from harness.core.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS: dict[str, dict[str, Any]] = {
    contract["forbidden_modules"][0]: contract
    for contract in PROJECT["tool"]["importlinter"]["contracts"]
    if contract["type"] == "forbidden"
}
# Libraries, and the rooms that may import each.
ALLOWED = {
    "gabbi": {"suites"},
    "python_on_whales": {"engine"},
    "pytest": {"plugin", "suites", "report"},
    "xdist": {"plugin"},
    "subprocess": {"core"},
}


def rooms() -> set[str]:
    return {path.parent.name for path in (ROOT / "harness").glob("*/__init__.py")}


def test_each_contract_is_known_here() -> None:
    assert CONTRACTS.keys() == ALLOWED.keys()


@pytest.mark.parametrize("library", ALLOWED)
def test_a_contract_holds_every_room_but_those_that_may_import_the_library(library: str) -> None:
    held = {module.removeprefix("harness.") for module in CONTRACTS[library]["source_modules"]}
    assert held == rooms() - ALLOWED[library]
