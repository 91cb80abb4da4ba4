"""Access to things that are private to pytest, for reports.

pytest shows a failure as an object of classes that are not public. xdist can send these objects
from a worker to its controller, and no others. ``make test-versions`` runs tests/plugin with the
oldest and the newest pytest that pyproject.toml allows.
"""

from collections.abc import Iterable

from _pytest._code.code import (
    ExceptionRepr,
    ReprEntryNative,
    ReprExceptionInfo,
    ReprFileLocation,
    ReprTraceback,
)

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


def add_sections(shown: object, sections: Iterable[tuple[str, str]]) -> None:
    """Show titled sections below a failure; does nothing where pytest shows text alone."""
    if isinstance(shown, ExceptionRepr):
        for title, text in sections:
            shown.addsection(title, text)
