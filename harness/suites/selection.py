"""Chooses the suites of a run, and finds what they need, before any suite is collected."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from harness.core.errors import UsageError
from harness.core.measurements import Progress
from harness.core.paths import SUITES
from harness.suites import _pytest_compat
from harness.suites.files import DIRECTORY, SUFFIXES, suites_in
from harness.suites.items import OWN_SUITES, UPSTREAM
from harness.upstream import fixture_data
from harness.upstream.profiles import Profile, UnknownProfileError

KEY = "fixtures"


def add(config: pytest.Config, suites: Sequence[str], own_suites: fixture_data.OwnSuites) -> None:
    """Let pytest collect these suites, besides the files and directories that it was given.

    ``own_suites`` are the suites of the placement under test, for the rest of the run, too. Each of
    ``suites`` is ``upstream`` (placement's own suites), a directory or a file. ``gabbits`` names
    the harness's own suites if there is no such directory. Raises UsageError.
    """
    config.stash[OWN_SUITES] = own_suites
    paths = [_named(config, argument, own_suites) for argument in _pytest_compat.arguments(config)]
    if suites:
        given = paths if _pytest_compat.are_arguments_given(config) else []
        paths = [*given, *(_path(suite, own_suites) for suite in suites)]
    _pytest_compat.set_arguments(config, paths, given=bool(suites))


def _named(config: pytest.Config, argument: str, own_suites: fixture_data.OwnSuites) -> str:
    """Path of upstream/FILE.yaml::TEST or gabbits/FILE.yaml::TEST, as reports name tests."""
    file, colons, test = argument.partition("::")
    folder, _, name = file.rpartition("/")
    named = folder in (UPSTREAM, DIRECTORY) and name
    if not named or (config.invocation_params.dir / folder).exists():
        return argument
    suites = own_suites.directory if folder == UPSTREAM else SUITES
    return f"{suites / name}{colons}{test}"


def _path(suite: str, own_suites: fixture_data.OwnSuites) -> str:
    if suite == UPSTREAM:
        return str(own_suites.directory)
    if suite.startswith(f"{UPSTREAM}/"):
        return str(own_suites.directory / suite.removeprefix(f"{UPSTREAM}/"))
    path = Path(suite.partition("::")[0]).expanduser()
    if suite == DIRECTORY and not path.exists():
        return str(SUITES)
    if path.is_dir() or (path.suffix in SUFFIXES and path.is_file()):
        return str(Path(suite).expanduser())
    raise UsageError(
        f"--suite {suite}: there is no such suite.",
        f"Give {UPSTREAM}, for placement's own suites, {DIRECTORY}, for those of "
        "placement-harness, a directory with suites, or a .yaml file.",
    )


def files(config: pytest.Config) -> Iterator[Path]:
    """The files that may be collected as suites."""
    for argument in _pytest_compat.arguments(config):
        given = config.invocation_params.dir / argument.partition("::")[0]
        if given.is_dir():
            yield from suites_in(given, config)
        elif given.suffix in SUFFIXES and given.is_file():
            yield given


def fixtures(paths: Iterable[Path], *, empty: bool = False) -> set[fixture_data.Fixture]:
    """The fixtures of placement's that suites name; with ``empty``, all others have EMPTY."""
    named = set()
    for path in paths:
        try:
            names = _fixture_names(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            # The error is reported when the suite is collected.
            continue
        if (names or empty) and (source := fixture_data.source_for(path)) is not None:
            known = names & fixture_data.fixtures_in(source)
            known = known or ({fixture_data.EMPTY} if empty else set())
            named |= {fixture_data.Fixture(source, name) for name in known}
    return named


def _fixture_names(text: str) -> set[str]:
    """The names in the list `fixtures` of a suite."""
    if KEY not in text:
        return set()
    suite = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {
        str(entry.value)
        for key, value in _pairs(suite)
        if key.value == KEY and isinstance(value, yaml.SequenceNode)
        for entry in value.value
    }


def _pairs(node: yaml.Node | None) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Keys and values of a mapping, also those that `<<` merges into it."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.tag == "tag:yaml.org,2002:merge":
            parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for part in parts:
                yield from _pairs(part)
        else:
            yield key, value


def profiles(wanted: Iterable[fixture_data.Fixture], progress: Progress) -> list[Profile]:
    """The configurations that these fixtures ask for, sorted by name. Raises UsageError.

    Unknown configurations are left out: the tests that need them fail with the reason.
    """
    by_name: dict[str, Profile] = {}
    for fixture in sorted(wanted):
        with suppress(UnknownProfileError):
            profile = fixture.scene(progress).profile
            other = by_name.setdefault(profile.name, profile)
            if other.environment != profile.environment:
                raise UsageError(
                    f"{fixture.name} and another of placement's fixtures need replicas of the "
                    f"profile {profile.name} with different settings: {dict(other.environment)} "
                    f"and {dict(profile.environment)}.",
                    "Run their suites in separate runs.",
                )
    return [by_name[name] for name in sorted(by_name)]
