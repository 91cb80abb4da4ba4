"""Tells which files are suites, by the directories in which they lie or because they are named."""

import os
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from harness.suites import _pytest_compat

SUFFIXES = frozenset({".yaml", ".yml"})
# Directories whose names begin or end with this word hold suites.
DIRECTORY = "gabbits"
# Deeper in such a directory, a file is a suite if it has this key: others are data of suites.
TESTS = re.compile(r"^[\"']?tests[\"']?\s*:", re.MULTILINE)


def is_suite(path: Path, session: pytest.Session) -> bool:
    """Whether a file is run as a suite: by its directory, or because it was given to pytest."""
    if path.suffix not in SUFFIXES:
        return False
    if _pytest_compat.is_argument(session, path):
        return True
    if path.suffix != ".yaml" or path.name.startswith("."):
        return False
    if _holds_suites(path.parent) or _is_deeper(path, _directories(session.config)):
        return True
    # A directory that pytest collects because it got no arguments does not count as given.
    return not _pytest_compat.is_directory_of_run(session.config) and _pytest_compat.is_argument(
        session, path.parent
    )


def _holds_suites(folder: Path) -> bool:
    return folder.name.startswith(DIRECTORY) or folder.name.endswith(DIRECTORY)


def _is_deeper(path: Path, given: Iterable[Path]) -> bool:
    """Whether a file lies deeper in a directory of suites, and has tests."""
    above = [folder for folder in path.parent.parents if _holds_suites(folder)]
    if not any(folder.is_relative_to(start) for folder in above for start in given):
        return False
    try:
        return TESTS.search(path.read_text(encoding="utf-8")) is not None
    except (OSError, UnicodeDecodeError):
        return False


def _directories(config: pytest.Config) -> Iterator[Path]:
    """The directories that pytest will collect."""
    for argument in _pytest_compat.arguments(config):
        # pytest names files without `..` too.
        given = Path(os.path.abspath(config.invocation_params.dir / argument))
        if given.is_dir():
            yield given


def without_tests(config: pytest.Config, paths: Iterable[Path]) -> Path | None:
    """The first directory that was given to pytest and holds none of these files; None if all do.

    ``paths`` are the files that have tests.
    """
    files = set(paths)
    for given in _directories(config):
        if not any(path.is_relative_to(given) for path in files):
            return given
    return None


def suites_in(directory: Path, config: pytest.Config) -> Iterator[Path]:
    """The suites in a directory, and in directories of suites below it."""
    for folder, files in _walk(directory, config.getini("norecursedirs")):
        for name in sorted(files):
            path = folder / name
            if path.suffix != ".yaml" or name.startswith("."):
                continue
            if folder == directory or _holds_suites(folder) or _is_deeper(path, [directory]):
                yield path


def _walk(directory: Path, left_out: list[str]) -> Iterator[tuple[Path, list[str]]]:
    """The directories that pytest would collect, with the names of their files."""
    known: set[str] = set()
    for folder, below, files in os.walk(directory, followlinks=True):
        kept = [name for name in sorted(below) if _is_entered(Path(folder, name), left_out)]
        # A link may lead to a directory above itself.
        real = os.path.realpath(folder)
        below[:] = [] if real in known else kept
        known.add(real)
        yield Path(folder), files


def _is_entered(folder: Path, left_out: list[str]) -> bool:
    """Whether pytest would look into a directory below a given one: no virtual environment."""
    is_named = any(fnmatch(folder.name, pattern) for pattern in left_out)
    return not is_named and not (folder / "pyvenv.cfg").exists()


def candidates(config: pytest.Config) -> Iterator[Path]:
    """The files below the given directories that look like suites or Python tests.

    xdist's controller, which collects nothing itself, uses this.
    """
    for given in _directories(config):
        for pattern in config.getini("python_files"):
            yield from given.rglob(pattern)
        yield from suites_in(given, config)
