"""Access to things that are private to pytest, for the plugin.

Each function names the private thing and the reason. pyproject.toml says which versions of pytest
are allowed; ``make test-versions`` runs tests/plugin with the oldest and the newest. The rooms
report and suites have a module of this name for what they need.
"""

from typing import Any

import pytest


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
