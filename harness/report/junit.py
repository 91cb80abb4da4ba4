"""Writes JUnit XML from plain data: tests with verdicts, and copies of other JUnit files."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from junitparser import Error, Failure, JUnitXml, JUnitXmlError, Skipped, TestCase, TestSuite

from harness.core.verdicts import Verdict

# Characters that XML cannot hold.
CONTROL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Case:
    """A test. ``kind`` is the type of an error, or of a skip; ``text`` follows the message."""

    name: str
    classname: str
    seconds: float
    verdict: Verdict = Verdict.PASSED
    message: str = ""
    text: str = ""
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """A group of tests.

    ``copied`` is a JUnit file whose tests come first, with ``name`` before their classes; the file
    need not exist.
    """

    name: str
    cases: Sequence[Case] = ()
    copied: Path | None = None
    properties: Sequence[tuple[str, str]] = ()


def document(suites: Iterable[Suite], name: str | None = None) -> str:
    """Return the XML of all suites."""
    root: Any = JUnitXml(name)
    for suite in suites:
        root.add_testsuite(_suite(suite))
    root.update_statistics()
    text: bytes = root.tostring()
    return text.decode()


def write(path: Path, suites: Iterable[Suite]) -> None:
    """Write the XML of all suites to a file, and make its directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document(suites))


def _suite(suite: Suite) -> Any:
    element: Any = TestSuite(suite.name)
    copies = _copies(suite.copied) if suite.copied else []
    for case in copies:
        case.classname = f"{suite.name}.{case.classname}" if case.classname else suite.name
    # junitparser counts all tests of a suite after each call: add them in one call.
    element.add_testcases([*copies, *map(_case, suite.cases)])
    for name, value in suite.properties:
        element.add_property(name, value)
    return element


def _case(case: Case) -> Any:
    element: Any = TestCase(_text(case.name), case.classname, round(case.seconds, 3))
    message = _text(case.message)
    if case.verdict in (Verdict.FAILED, Verdict.XPASSED):
        element.result = [Failure(message, case.kind)]
    elif case.verdict == Verdict.ERROR:
        element.result = [Error(message, case.kind)]
    elif case.verdict != Verdict.PASSED:
        element.result = [Skipped(message, case.kind)]
    if case.text and element.result:
        element.result[0].text = _text(case.text)
    return element


def _text(text: str) -> str:
    return CONTROL.sub("?", text)


def _copies(path: Path) -> list[Any]:
    """The tests in a JUnit file; empty if the run ended before it wrote the file."""
    try:
        root: Any = JUnitXml.fromfile(str(path))
    except (OSError, SyntaxError, JUnitXmlError):
        return []
    suites = [root] if isinstance(root, TestSuite) else root
    return [case for suite in suites for case in suite]
