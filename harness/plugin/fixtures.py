"""Fixtures for people who write Python tests against a target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from harness.plugin.session import Run

if TYPE_CHECKING:
    from harness.targets.session import PlacementSession

RUN = pytest.StashKey[Run]()


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Any:
    """The running stack: replicas, containers, logs. Where there is none, the test fails."""
    return _offered(request, "stack")


@pytest.fixture(scope="session")
def placement(request: pytest.FixtureRequest) -> Iterator[PlacementSession]:
    """A requests session with a token and the latest microversion; URLs begin at placement's."""
    # requests takes 60 ms to import, and suites need none of it.
    from harness.targets.session import PlacementSession

    run = request.config.stash[RUN]
    with PlacementSession(run.target, run.record) as session:
        yield session


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A pymysql connection to placement's database. Where there is none, the test fails."""
    connection = _offered(request, "database")()
    yield connection
    connection.close()


def _offered(request: pytest.FixtureRequest, name: str) -> Any:
    target = request.config.stash[RUN].target
    offered = getattr(target, name, None)
    if offered is None:
        # Where in the harness this was found helps nobody.
        raise pytest.fail.Exception(
            f"The fixture `{name}` needs a stack; the target of this run is {target.name}. "
            "Run with --target stack.",
            pytrace=False,
        )
    return offered
