"""What the package imports is declared: a fresh environment has nothing else."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import harness

PACKAGE = Path(harness.__file__).parent
PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
# Imported only with the distribution that depends on them.
BROUGHT_BY = {
    "keystoneauth1": "openstacksdk",
    "keystonemiddleware": "openstack-placement",
    **dict.fromkeys(
        ("oslo-config", "os-resource-classes", "os-traits", "sqlalchemy"), "openstack-placement"
    ),
}
# -n needs it; a run without -n imports nothing of it.
OF_THE_USER = {"pytest-xdist"}


def declared(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(each).name) for each in requirements}


REQUIRED = declared(PROJECT["dependencies"])
EXTRAS = declared([each for extra in PROJECT["optional-dependencies"].values() for each in extra])


def imports(source: str) -> Iterator[str]:
    """Top-level name of each module that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        yield from (name.partition(".")[0] for name in names)


def distributions() -> dict[str, set[str]]:
    """Distribution -> files of the package that import it, without the standard library."""
    owners = metadata.packages_distributions()
    importing: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        if "_project" in path.parts:
            continue
        for name in imports(path.read_text()):
            if name in sys.stdlib_module_names or name == "harness":
                continue
            owner = canonicalize_name(owners[name][0])
            importing.setdefault(owner, set()).add(path.relative_to(PACKAGE).as_posix())
    return importing


def test_every_import_is_of_a_declared_distribution() -> None:
    known = REQUIRED | EXTRAS | BROUGHT_BY.keys() | OF_THE_USER
    assert {name: files for name, files in distributions().items() if name not in known} == {}


@pytest.mark.parametrize("name", BROUGHT_BY)
def test_what_is_not_declared_comes_with_what_is(name: str) -> None:
    assert BROUGHT_BY[name] in EXTRAS
    assert name in declared(metadata.requires(BROUGHT_BY[name]) or [])


def test_every_declared_distribution_is_used() -> None:
    # Programs, and what placement's own suites and the tempest plugin import.
    programs = {"pip", "poetry-core", "uv"}
    others = {"gabbi-tempest", "oslotest", "tempest", "wsgi-intercept"}
    assert (REQUIRED | EXTRAS) - distributions().keys() <= programs | others
