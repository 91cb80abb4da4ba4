"""Stacks for the tests against real containers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engine import install
from tests.live._live import Commands, of_state, own


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    mine = [item for item in items if here in item.path.parents]
    for item in mine:
        item.add_marker(pytest.mark.engine)
    problem = install.engine_problem() if mine else None
    if problem:
        for item in mine:
            item.add_marker(pytest.mark.skip(reason=str(problem)))


@pytest.fixture(scope="session", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Directory of the state of all these stacks. None of them may be left in the end."""
    root = tmp_path_factory.mktemp("live")
    # On a fresh machine all images are built, which takes minutes.
    Commands(root / "setup").run("placement-harness", "setup", timeout=1200)
    yield root
    left = of_state(root)
    assert left == [], "the tests have left something behind"


@pytest.fixture
def commands(folder: Path, tmp_path: Path) -> Iterator[Commands]:
    """For a stack of the test's own; none is up yet."""
    with own(folder / tmp_path.name) as commands:
        yield commands


@pytest.fixture(scope="session")
def up(folder: Path) -> Iterator[Commands]:
    """A stack of three replicas, for all tests that leave it as it was."""
    with own(folder / "shared") as commands:
        commands.harness("up", "--replicas", "3")
        yield commands
