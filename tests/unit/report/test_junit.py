"""JUnit files from plain data, and from the JUnit files of other runs."""

from pathlib import Path
from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite

from harness.core.verdicts import Verdict
from harness.report import junit
from harness.report.junit import Case, Suite


def test_copied_tests_are_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = "".join(f'<testcase classname="suite" name="test {n}"/>' for n in range(50))
    file = tmp_path / "junit.xml"
    file.write_text(f'<testsuite name="pytest">{cases}</testsuite>')
    counted: list[Any] = []
    update: Any = TestSuite.update_statistics

    def count(suite: Any) -> None:
        counted.append(suite)
        update(suite)

    monkeypatch.setattr(TestSuite, "update_statistics", count)
    document = JUnitXml.fromstring(junit.document([Suite("cell", copied=file)]))
    assert document.tests == 50
    assert {case.classname for suite in document for case in suite} == {"cell.suite"}
    # Counting goes through all tests: once for each test, 11 cells of 1,316 took 80 s.
    assert len(counted) <= 2


@pytest.mark.parametrize(
    ("verdict", "element"),
    [
        (Verdict.PASSED, None),
        (Verdict.FAILED, Failure),
        (Verdict.XPASSED, Failure),
        (Verdict.ERROR, Error),
        (Verdict.SKIPPED, Skipped),
        (Verdict.XFAILED, Skipped),
    ],
)
def test_each_verdict_has_its_element(verdict: Verdict, element: type | None) -> None:
    case = Case("one", "a.yaml", 0.5, verdict, "why", "more\x00")
    ((read,),) = JUnitXml.fromstring(junit.document([Suite("run", [case])]))
    assert [type(result) for result in read.result] == ([element] if element else [])
    assert all((one.message, one.text) == ("why", "more?") for one in read.result)


def test_a_file_that_was_never_written_adds_no_test(tmp_path: Path) -> None:
    suite = Suite("cell", copied=tmp_path / "missing.xml")
    document = JUnitXml.fromstring(junit.document([suite]))
    assert (document.tests, [suite.name for suite in document]) == (0, ["cell"])
