"""The lock files: all of it hashed, nothing said about where it comes from."""

import itertools
import re
import shlex
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = sorted([*ROOT.glob("requirements/*.txt"), *ROOT.glob("services/*/requirements.txt")])


def entries(lock: Path) -> list[str]:
    """The lock's requirements, each with its options on one line."""
    lines = [line for line in lock.read_text().splitlines() if not line.lstrip().startswith("#")]
    return [line for line in "\n".join(lines).replace("\\\n", " ").splitlines() if line.strip()]


def name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def test_every_list_of_requirements_has_its_lock() -> None:
    lists = [*ROOT.glob("requirements/*.in"), *ROOT.glob("services/*/requirements.in")]
    assert sorted(path.with_suffix(".txt") for path in lists) == LOCKS


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_every_requirement_is_pinned_with_its_hashes(lock: Path) -> None:
    assert entries(lock)
    for entry in entries(lock):
        assert re.match(r"[a-z0-9._-]+==\S+ ", entry), entry
        assert re.search(r" --hash=sha256:[0-9a-f]{64}\b", entry), entry


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_no_lock_says_where_packages_come_from(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert " @ " not in text
    options = {word.split("=")[0] for entry in entries(lock) for word in shlex.split(entry)}
    assert {option for option in options if option.startswith("-")} == {"--hash"}


def test_the_environment_has_all_that_pyproject_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {name(each) for each in itertools.chain(*lists)}
    locked = {name(entry) for entry in entries(ROOT / "requirements" / "dev.txt")}
    assert declared <= locked


def test_the_embedded_placement_is_the_one_in_the_image() -> None:
    def placement(lock: str) -> list[str]:
        found = [entry.split()[0] for entry in entries(ROOT / lock)]
        return [pin for pin in found if pin.startswith("openstack-placement==")]

    assert placement("requirements/dev.txt") == placement("services/placement/requirements.txt")
