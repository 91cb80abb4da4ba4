"""One JUnit file of all cells: a suite for each, with the cell in front of its classes' names."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from junitparser import Error, JUnitXml, JUnitXmlError, TestCase, TestSuite

from harness.matrix.runner import JUNIT, Result


def merged(results: Iterable[Result], folder: Path) -> str:
    document: Any = JUnitXml("placement-harness matrix")
    for result in results:
        document.add_testsuite(_suite(result, folder / result.cell.name / JUNIT))
    document.update_statistics()
    text: bytes = document.tostring()
    return text.decode()


def _suite(result: Result, path: Path) -> Any:
    name = result.cell.name
    suite: Any = TestSuite(name)
    cases = _cases(path)
    for case in cases:
        case.classname = f"{name}.{case.classname}" if case.classname else name
    if result.verdict not in ("passed", "failed") or (result.reason and result.verdict == "failed"):
        # Nobody may take a cell for green whose few tests have passed.
        case = TestCase("the run", name, round(result.wall, 3))
        case.result = [Error(result.reason, result.verdict)]
        cases.append(case)
    # All at once: after each call it counts what the suite has.
    suite.add_testcases(cases)
    suite.add_property("verdict", result.verdict)
    for setting in result.report.get("settings", ()):
        suite.add_property(setting["name"], setting["value"])
    suite.time = round(result.wall, 3)
    return suite


def _cases(path: Path) -> list[TestCase]:
    try:
        found = JUnitXml.fromfile(str(path))
    except (OSError, SyntaxError, JUnitXmlError):
        # A run that did not get so far.
        return []
    suites = [found] if isinstance(found, TestSuite) else found
    return [case for suite in suites for case in suite]
