"""--consistency: what it refuses, and that it replaces suites by a test for each workload."""

from __future__ import annotations

import pytest

from harness.consistency.workloads import WORKLOADS


def test_a_target_without_replicas_is_refused(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--target", "embedded", "--consistency")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--consistency makes no sense with --target embedded: it has no replicas. Run it with*"]
    )


def test_workers_are_refused(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--replicas", "3", "--consistency", "-n", "2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--consistency and -n make no sense together*Leave -n away*"])


def test_each_workload_is_a_test_in_place_of_suites(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", suite="tests:\n- name: root\n  GET: /\n")
    words = ("--replicas", "3", "--consistency", "--collect-only", "-q", "suite.yaml")
    result = pytester.runpytest_subprocess(*words)
    assert result.ret == 0
    listed = [line for line in result.outlines if line.startswith("consistency::")]
    assert listed == [f"consistency::{name}" for name in WORKLOADS]
    assert not any("root" in line for line in result.outlines)


def test_tests_are_chosen_by_name(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", suite="tests:\n- name: root\n  GET: /\n")
    words = (
        "--replicas",
        "3",
        "--consistency",
        "--collect-only",
        "-q",
        "-k",
        "moves",
        "suite.yaml",
    )
    result = pytester.runpytest_subprocess(*words)
    listed = [line for line in result.outlines if line.startswith("consistency::")]
    assert listed == ["consistency::moves"]
