"""Access to things that are private to pytest, for the plugin.

Each function names the private thing and the reason. pyproject.toml says which versions of pytest
are allowed; ``make test-versions`` runs tests/plugin with the oldest and the newest. The rooms
report and suites have a module of this name for what they need.
"""

from typing import Any

import pytest
from _pytest import runner


def drop_frames_without_line(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Leave out frames of a traceback that have no line number, at which pytest fails.

    Private: the entries of ``excinfo.traceback``. In Python 3.11 a frame that is interrupted may
    have no line number.
    """
    excinfo.traceback = excinfo.traceback.filter(_has_line)


def _has_line(entry: Any) -> bool:
    try:
        return bool(entry.lineno >= 0)
    except TypeError:
        return False


def run_without_reporting(item: pytest.Item, following: pytest.Item | None) -> list[Any]:
    """Set up, call and tear down a test; and give its reports, which no plugin has had.

    ``following`` is the test that comes next, for which shared fixtures stay.
    Private: ``runtestprotocol``, which plugins that repeat tests use as well.
    """
    return [*runner.runtestprotocol(item, log=False, nextitem=following)]


def fixtures_of(item: pytest.Function) -> dict[str, Any]:
    """The definitions of a test's fixtures, by name; a copy.

    Private: ``_fixtureinfo``. No hook says of which fixtures a fixture is made.
    """
    return dict(item._fixtureinfo.name2fixturedefs)


def named_fixtures(item: pytest.Function, name: str) -> list[Any]:
    """The definitions of the fixture of this name that a test could use.

    Private: ``_fixturemanager``, see ``fixtures_of``.
    """
    return [*(item.session._fixturemanager.getfixturedefs(name, item) or ())]


def unused(definition: Any) -> Any:
    """A copy of a fixture's definition, as if it had not been used yet.

    Private: ``_finalizers`` and ``cached_result``, in which a definition keeps its value.
    """
    definition.cached_result = None
    definition._finalizers = []
    return definition


def again(item: pytest.Function, fixtures: dict[str, Any]) -> pytest.Function:
    """A second item of a test, with these definitions of its fixtures.

    Private: ``FuncFixtureInfo``, and the arguments of a test's class.
    """
    known = item._fixtureinfo
    twin: pytest.Function = type(item).from_parent(
        item.parent,
        name=item.name,
        callspec=getattr(item, "callspec", None),
        fixtureinfo=type(known)(known.argnames, known.initialnames, known.names_closure, fixtures),
        originalname=item.originalname,
    )
    twin.own_markers[:] = item.own_markers
    return twin
