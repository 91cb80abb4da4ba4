"""All cells' JUnit files in one."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from junitparser import JUnitXml, TestSuite

from harness.report import matrix_junit


def test_a_cells_tests_are_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = "".join(f'<testcase classname="suite" name="test {n}"/>' for n in range(50))
    (tmp_path / "cell").mkdir()
    (tmp_path / "cell" / "junit.xml").write_text(f'<testsuite name="pytest">{cases}</testsuite>')
    result: Any = SimpleNamespace(
        cell=SimpleNamespace(name="cell"), verdict="passed", reason="", wall=1.0, report={}
    )
    counted: list[Any] = []
    update: Any = TestSuite.update_statistics

    def count(suite: Any) -> None:
        counted.append(suite)
        update(suite)

    monkeypatch.setattr(TestSuite, "update_statistics", count)
    merged = JUnitXml.fromstring(matrix_junit.merged([result], tmp_path))
    assert merged.tests == 50
    # Counting goes through all of them: once for each test, 11 cells of 1,316 took 80 s.
    assert len(counted) <= 2
