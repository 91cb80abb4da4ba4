"""Access to things that are private to pytest, for reports.

pytest shows a failure as an object of classes that are not public. xdist can send these objects
from a worker to its controller, and no others. ``make test-versions`` runs tests/plugin with the
oldest and the newest pytest that pyproject.toml allows.
"""

from collections.abc import Collection, Iterable
from typing import Any

import pytest
from _pytest._code.code import (
    ExceptionRepr,
    ReprEntryNative,
    ReprExceptionInfo,
    ReprFileLocation,
    ReprTraceback,
    TerminalRepr,
)

from harness.core import redact

Failure = ReprExceptionInfo


def failure(
    problem: str,
    place: tuple[str, int],
    sections: Iterable[tuple[str, str]],
    *,
    one_line: bool = False,
) -> Failure:
    """A failure in pytest's form: the problem, file and line (from 1), titled sections.

    With ``one_line`` pytest shows place and problem alone.
    """
    traceback = ReprTraceback(
        [ReprEntryNative([f"{problem}\n", f"{place[0]}:{place[1]}\n"])], None, "native"
    )
    shown = Failure(
        reprtraceback=ReprTraceback([], None, "line") if one_line else traceback,
        reprcrash=ReprFileLocation(*place, problem.split("\n", 1)[0]),
    )
    if not one_line:
        add_sections(shown, sections)
    return shown


def hide(report: pytest.TestReport, hidden: Collection[str]) -> None:
    """Hide these values in a report, and in the output that pytest has captured for it.

    Private: the attributes of the object that shows a failure, which have all its text.
    """
    if not hidden:
        return
    report.longrepr = _without(report.longrepr, hidden)
    report.sections = [(title, redact.shown(text, hidden)) for title, text in report.sections]


def _without(shown: Any, hidden: Collection[str]) -> Any:
    if isinstance(shown, str):
        return redact.shown(shown, hidden)
    if isinstance(shown, list | tuple):
        return type(shown)(_without(part, hidden) for part in shown)
    if isinstance(shown, TerminalRepr):
        for name, value in vars(shown).items():
            # Some of these objects are frozen.
            object.__setattr__(shown, name, _without(value, hidden))
    return shown


def add_sections(shown: object, sections: Iterable[tuple[str, str]]) -> None:
    """Show titled sections below a failure; does nothing where pytest shows text alone."""
    if isinstance(shown, ExceptionRepr):
        for title, text in sections:
            shown.addsection(title, text)
