"""Fixtures for people who write Python tests against a target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from harness.plugin.session import Run
from harness.targets.base import HasDatabase, HasStack, Target

if TYPE_CHECKING:
    from harness.targets.session import PlacementSession

RUN = pytest.StashKey[Run]()


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Any:
    """The running stack: replicas, containers, logs. Fails a test whose target has none."""
    target = request.config.stash[RUN].target
    if not isinstance(target, HasStack):
        _fail("stack", target)
    return target.running_stack()


@pytest.fixture(scope="session")
def placement(request: pytest.FixtureRequest) -> Iterator[PlacementSession]:
    """A requests session with a token and the latest microversion; URLs begin at placement's."""
    # requests takes 60 ms to import, and suites do not need it.
    from harness.targets.session import PlacementSession

    run = request.config.stash[RUN]
    with PlacementSession(run.target, run.stream.publish) as session:
        yield session


@pytest.fixture(scope="session")
def placement_of_the_other_side(request: pytest.FixtureRequest) -> Iterator[PlacementSession]:
    """The fixture `placement` of a test that is run again for a comparison."""
    from harness.targets.session import PlacementSession

    other = request.config.stash[RUN].other
    assert other is not None  # noqa: S101
    with PlacementSession(other.target, other.stream.publish) as session:
        yield session


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A pymysql connection to placement's database. Fails a test whose target has none."""
    target = request.config.stash[RUN].target
    if not isinstance(target, HasDatabase):
        _fail("database", target)
    connection = target.database()
    yield connection
    connection.close()


def _fail(fixture: str, target: Target) -> NoReturn:
    # A traceback would lead into the harness, not to the test.
    raise pytest.fail.Exception(
        f"The fixture `{fixture}` needs a stack; the target of this run is {target.name}. "
        "Run with --target stack.",
        pytrace=False,
    )
