"""Access to things that are private to pytest, for suites.

Each function names the private thing and the reason. ``make test-versions`` runs tests/plugin with
the oldest and the newest pytest that pyproject.toml allows.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import pytest


def skip(reason: str, cause: BaseException | None = None) -> NoReturn:
    """End a test as skipped. The summary names its suite and line, not a line of the harness.

    Private: the option ``_use_item_location``, with which pytest skips tests for their marks.
    """
    raise pytest.skip.Exception(reason, _use_item_location=True) from cause


def fail(reason: str, cause: BaseException | None = None) -> NoReturn:
    """End a test as failed, without a traceback, which would lead into the harness.

    Private: the class; ``pytest.fail`` takes no cause.
    """
    raise pytest.fail.Exception(reason, pytrace=False) from cause


def arguments(config: pytest.Config) -> list[str]:
    """The files, directories and tests that pytest will collect.

    Private: ``config.args`` is not documented. No hook says what pytest is going to collect before
    it begins.
    """
    return config.args


def are_arguments_given(config: pytest.Config) -> bool:
    """Whether the command line has arguments, in place of ``testpaths`` or the directory.

    Private: ``config.args_source``, see ``arguments``.
    """
    return config.args_source is pytest.Config.ArgsSource.ARGS


def is_directory_of_run(config: pytest.Config) -> bool:
    """Whether pytest collects the current directory because nothing else was given.

    Private: ``config.args_source``, see ``arguments``.
    """
    return config.args_source is pytest.Config.ArgsSource.INVOCATION_DIR


def set_arguments(config: pytest.Config, values: Iterable[str], *, given: bool) -> None:
    """Let pytest collect these files and directories, as if given on the command line if ``given``.

    Private: see ``arguments``. There is no public way to add to what pytest collects.
    """
    config.args = [*values]
    if given:
        config.args_source = pytest.Config.ArgsSource.ARGS


def is_argument(session: pytest.Session, path: Path) -> bool:
    """Whether a path itself is an argument, and not only a directory above it.

    Private: ``isinitpath`` is not documented; pytest's own collectors decide by it.
    """
    return session.isinitpath(path)
