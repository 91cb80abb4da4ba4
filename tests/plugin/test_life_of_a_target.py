"""When the target is started, watched and stopped, and what ends a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from _project import SUITE, Project

INTERRUPTED = """
def test_interrupted():
    raise KeyboardInterrupt
"""


def test_a_run_starts_the_target_once_and_stops_it(project: Project) -> None:
    project.suite()
    project.suite(name="gabbits/two.yaml")
    project.run().assert_outcomes(passed=6)
    assert project.events == ["start", "started", "stop"]


def test_progress_of_a_start_is_shown(project: Project) -> None:
    project.suite()
    project.run().stdout.fnmatch_lines(["collected 3 items", "  starting the fake"])


def test_nothing_is_started_when_nothing_is_collected(project: Project) -> None:
    project.module("", "test_empty")
    result = project.run()
    assert result.ret in (4, 5)
    assert project.events == []


def test_nothing_is_left_when_all_tests_are_deselected(project: Project) -> None:
    project.suite()
    project.fake(slow=60)
    result = project.run("-k", "nothing")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    # Cancelling may come before the thread has got anywhere.
    assert sorted(project.events[:2]) == ["cancel", "start"]
    assert project.events[2:] == ["started", "stop"]


def test_a_start_that_fails_ends_the_run_with_70(project: Project) -> None:
    project.suite()
    project.fake(start="fails")
    result = project.run()
    assert result.ret == 70
    result.stdout.fnmatch_lines(
        [
            "*no tests ran*",
            "",
            "ERROR: MariaDB died while starting. Free some disk space.",
            "  no space left",
        ]
    )
    assert str(result.stdout).count("MariaDB died") == 1
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*!!!*")
    assert project.events == ["start", "stop"]


def test_credentials_that_are_refused_end_the_run_with_70(project: Project) -> None:
    project.suite()
    project.fake(token="refused")
    result = project.run()
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: keystone refuses the credentials. Check them."])
    assert project.events == ["start", "started", "stop"]


def test_a_replica_that_dies_ends_the_run_with_70(project: Project) -> None:
    failing = SUITE.replace("/second", "/status/503")
    project.suite(failing)
    project.fake(dies=2)
    result = project.run()
    assert result.ret == 70
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "!*the run cannot go on; the reason is below*!",
            "*1 failed, 1 passed*",
            "ERROR: Replica 2 died (exit code 137). "
            "See what it said: placement-harness logs --replica 2.",
            "  replica 2 | out of memory",
        ]
    )
    assert str(result.stdout).count("Replica 2 died") == 1
    assert project.events == ["start", "started", "stop"]


def test_a_test_without_an_answer_makes_us_look_at_the_target(project: Project) -> None:
    project.suite(SUITE.replace("/second", "/refused"))
    project.fake(dies=2)
    assert project.run().ret == 70


def test_the_target_is_not_looked_at_after_every_test(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.owner.LOOK", 3600)
    tests = "\n".join(f"- {{name: number {number}, GET: /}}" for number in range(50))
    project.suite(f"tests:\n{tests}\n")
    project.run().assert_outcomes(passed=50)
    assert project.all_events.count("check") == 1


def test_the_target_is_looked_at_again_after_a_while(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.owner.LOOK", 0)
    monkeypatch.setattr("harness.owner.SHARE", 0)
    project.suite()
    project.run().assert_outcomes(passed=3)
    assert project.all_events.count("check") == 3


def test_a_failed_test_that_got_its_answer_is_no_reason_to_look(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.owner.LOOK", 3600)
    tests = "\n".join(f"- {{name: n {number}, GET: /status/404}}" for number in range(10))
    project.suite(f"tests:\n{tests}\n")
    project.run().assert_outcomes(failed=10)
    assert project.all_events.count("check") == 1


def test_ctrl_c_in_a_test_stops_the_target(project: Project) -> None:
    project.module(INTERRUPTED, "test_interrupted")
    result = project.run("test_interrupted.py")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert project.events[-1] == "stop"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_starting_cancels_the_start_and_stops_the_target(
    project: Project, number: signal.Signals
) -> None:
    project.suite()
    project.fake(slow=60)
    command = [sys.executable, "-m", "pytest", "-p", "_fake", "--target", "fake"]
    with subprocess.Popen(command, cwd=project.path, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while "start" not in project.events and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, number)
        assert process.wait(timeout=30) == pytest.ExitCode.INTERRUPTED
    assert project.events == ["start", "cancel", "started", "stop"]


def test_a_second_ctrl_c_does_not_keep_the_target_from_being_stopped(project: Project) -> None:
    project.suite()
    project.fake(stop="interrupted once")
    result = project.run()
    assert result.ret != 0
    assert project.events == ["start", "started", "stop", "stop"]


def test_a_stop_that_fails_is_said(project: Project) -> None:
    project.suite()
    project.fake(stop="fails")
    result = project.run()
    assert result.ret == 70
    result.stdout.fnmatch_lines(["*3 passed*", "ERROR: The network is in use. Remove it by hand."])


def test_an_unusable_target_is_not_installed_quietly(project: Project) -> None:
    """A programming error in a target is not dressed up as anything else."""
    project.suite()
    project.fake(start="bug")
    result = project.run()
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert project.events == ["start", "stop"]
