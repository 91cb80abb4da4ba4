"""Loads suites from YAML files, with gabbi's own suite maker."""

import functools
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gabbi import exception  # type: ignore[import-untyped]

from harness.suites import _gabbi_compat, client, releases
from harness.suites.case import Case
from harness.suites.connection import Wire
from harness.suites.extensions import Extensions
from harness.suites.parsing import SuiteError, lines_of, parse
from harness.upstream import fixture_data
from harness.upstream.expected_differences import declared


class _Counted(list[Any]):
    """A list that notes the index of the entry which was taken last."""

    taken = -1

    def __iter__(self) -> Iterator[Any]:
        for self.taken, entry in enumerate(super().__iter__()):
            yield entry


def load(path: Path, extensions: Extensions, wire: Wire) -> list[Case]:
    """The tests of a suite, in order. Raises SuiteError."""
    node, suite = parse(path, safe=extensions.safe_yaml)
    if not isinstance(suite, dict):
        raise SuiteError(path, None, f"not a gabbi suite: it holds {_kind(suite)}, not a mapping.")
    if not isinstance(suite.get("tests"), list):
        raise SuiteError(path, None, "not a gabbi suite: it has no list of `tests`.")
    suite["tests"] = tests = _Counted(suite["tests"])
    lines = lines_of(node, len(tests))
    try:
        specifier = releases.specifier(suite)
    except ValueError as error:
        raise SuiteError(path, None, f"{error}.", shape=False) from error
    fixtures = _fixtures(path, suite, extensions, wire)
    # Suites of placement's own name its fixtures.
    theirs = any(map(is_staged, vars(fixtures).values()))
    try:
        cases: list[Case] = _gabbi_compat.cases(
            suite,
            path,
            case=type("SuiteCase", (Case,), {"wire": wire}),
            get_http=functools.partial(client.make, wire, path.stem),
            fixtures=fixtures,
            handlers=extensions.handlers,
            inner_fixtures=extensions.inner_fixtures,
        )
    except (exception.GabbiFormatError, TypeError, AttributeError, KeyError, ValueError) as error:
        line = lines[tests.taken] if 0 <= tests.taken < len(lines) else None
        raise SuiteError(path, line, _problem(error, tests)) from error
    if not cases:
        raise SuiteError(path, None, "not a gabbi suite: its list of `tests` is empty.")
    for index, case in enumerate(cases):
        case.line = lines[index]
        case.own_tls = "ssl" in tests[index]
        case.releases = specifier
        if theirs:
            case.difference = declared().get((path.name, case.test_data["name"]))
    return cases


def _fixtures(
    path: Path, suite: dict[str, Any], extensions: Extensions, wire: Wire
) -> SimpleNamespace:
    """A stand-in for the module in which gabbi looks for the fixtures that a suite names."""
    module = SimpleNamespace()
    for name in suite.get("fixtures") or ():
        fixture: Any = extensions.fixture(name)
        if fixture is None or _starts_placement(fixture):
            if any(map(is_staged, vars(module).values())):
                problem = f"a suite can have one of placement's fixtures; {name} is its second."
                raise SuiteError(path, None, problem, shape=False)
            fixture = _staged(path, name, fixture, extensions, wire)
        setattr(module, name, fixture)
    if extensions.empty and not any(map(is_staged, vars(module).values())):
        name = fixture_data.EMPTY
        setattr(module, name, _staged(path, name, None, extensions, wire))
        # First, so that the project's own fixtures meet an empty placement.
        suite["fixtures"] = [name, *(suite.get("fixtures") or ())]
    # gabbi accepts an empty namespace as a module without fixtures.
    return module


def _starts_placement(fixture: type) -> bool:
    """Whether a fixture is one of placement's, which start a placement in this process.

    No request of the run would reach that placement.
    """
    bases = getattr(fixture, "__mro__", ())
    return any(base.__module__ == fixture_data.FIXTURES for base in bases)


def _staged(
    path: Path, name: str, fixture: type | None, extensions: Extensions, wire: Wire
) -> functools.partial[Any]:
    """A fixture that stages the target with the data of placement's. Raises SuiteError."""
    if fixture is not None and fixture.__module__ != fixture_data.FIXTURES:
        raise SuiteError(path, None, _in_process(name), shape=False)
    source = fixture_data.source_for(path)
    if source is None and extensions.empty:
        problem = f"--empty uses a fixture of placement's. {fixture_data.REMEDY}"
        raise SuiteError(path, None, problem, shape=False)
    if source is None or name not in fixture_data.fixtures_in(source):
        raise SuiteError(path, None, _unknown(name, extensions), shape=False)
    return functools.partial(wire.staged, fixture_data.Fixture(source, name))


def is_staged(fixture: object) -> bool:
    """Whether a suite's fixture is one of placement's own."""
    return isinstance(fixture, functools.partial)


def _unknown(name: str, extensions: Extensions) -> str:
    modules = ", ".join(module.__name__ for module in extensions.fixture_modules) or "no module"
    return f"there is no fixture {name}: gabbi_fixture_modules names {modules}."


def _in_process(name: str) -> str:
    return (
        f"fixture {name} extends a fixture of placement's, which starts a placement in this "
        "process; no request would reach that. Name placement's own fixture."
    )


def _problem(error: Exception, tests: _Counted) -> str:
    if isinstance(error, exception.GabbiFormatError):
        return f"not a gabbi suite: {str(error).rstrip('.')}."
    entry = tests[tests.taken] if tests.taken >= 0 else None
    name = entry.get("name") if isinstance(entry, dict) else None
    if name is not None and not isinstance(name, str):
        return f"not a gabbi suite: the name {name!r} is {_kind(name)}; put it in quotes."
    where = f"test {tests.taken + 1}" if tests.taken >= 0 else "the defaults"
    return f"not a gabbi suite: {where} has a value of the wrong kind ({error})."


def _kind(value: object) -> str:
    kinds = {str: "text", list: "a list", type(None): "nothing", int: "a number", bool: "a boolean"}
    return kinds.get(type(value), f"a {type(value).__name__}")
