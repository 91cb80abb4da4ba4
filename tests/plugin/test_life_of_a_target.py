"""When the target is started, watched and stopped, and what ends a run."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from tests.fakes.project import SUITE, Project

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


def test_a_death_ends_the_run_while_a_request_hangs(project: Project) -> None:
    project.suite(SUITE.replace("/second", "/hang"))
    project.fake(dies=2)
    result = project.run_apart()
    assert result.ret == 70
    result.stdout.fnmatch_lines(
        ["*the run cannot go on; the reason is below*", "ERROR: Replica 2 died*"]
    )
    assert "answered at last" not in project.events
    assert project.events[-1] == "stop"


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


def test_a_short_run_looks_at_the_target_at_its_beginning_and_its_end(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.plugin.health_monitor.LOOK", 3600)
    project.suite()
    project.run().assert_outcomes(passed=3)
    assert project.all_events.count("check") == 2


def test_the_target_is_looked_at_now_and_then(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.plugin.health_monitor.LOOK", 0.01)
    monkeypatch.setattr("harness.plugin.health_monitor.SHARE", 0)
    project.module("import time\ndef test_long():\n    time.sleep(0.5)\n", "test_long")
    project.run("test_long.py").assert_outcomes(passed=1)
    assert project.all_events.count("check") > 1


def test_a_failed_test_that_got_its_answer_is_no_reason_to_look(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.plugin.health_monitor.LOOK", 3600)
    tests = "\n".join(f"- {{name: n {number}, GET: /status/404}}" for number in range(10))
    project.suite(f"tests:\n{tests}\n")
    project.run().assert_outcomes(failed=10)
    assert project.all_events.count("check") == 2


def test_a_death_just_before_the_end_counts(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.plugin.health_monitor.LOOK", 3600)
    project.suite()
    project.fake(dies=3)
    assert project.run().ret == 70


def test_ctrl_c_in_a_test_stops_the_target(project: Project) -> None:
    project.module(INTERRUPTED, "test_interrupted")
    result = project.run("test_interrupted.py")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert project.events[-1] == "stop"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_starting_cancels_the_start_and_stops_the_target(
    project: Project, number: signal.Signals
) -> None:
    project.suite()
    project.fake(slow=60)
    command = [sys.executable, "-m", "pytest", "-p", "tests.fakes.target", "--target", "fake"]
    with subprocess.Popen(command, cwd=project.path, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while "start" not in project.events and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, number)
        assert process.wait(timeout=30) == pytest.ExitCode.INTERRUPTED
    assert project.events == ["start", "cancel", "started", "stop"]


def test_a_terminal_that_is_closed_does_not_keep_the_target_from_being_stopped(
    project: Project,
) -> None:
    project.suite(SUITE.replace("/second", "/hang"))
    project.fake(stop="said")
    process, terminal = pty.fork()
    if process == 0:
        os.execv(
            sys.executable,
            [sys.executable, "-m", "pytest", "-p", "tests.fakes.target", "--target=fake"],
        )
    deadline = time.monotonic() + 30
    while "started" not in project.events and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)
    os.close(terminal)
    os.waitpid(process, 0)
    assert project.events == ["start", "started", "stop"]


def test_who_told_a_run_to_outlive_its_terminal_is_obeyed(project: Project) -> None:
    project.module(
        "import os, signal\ndef test_hangup():\n    os.kill(os.getpid(), signal.SIGHUP)\n",
        "test_hangup",
    )
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        project.run("test_hangup.py").assert_outcomes(passed=1)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_ctrl_c_does_not_keep_the_target_from_being_stopped(project: Project) -> None:
    project.suite()
    project.fake(stop="interrupted once")
    result = project.run()
    assert result.ret != 0
    assert project.events == ["start", "started", "stop interrupted", "stop"]


def test_a_stop_that_fails_is_said(project: Project) -> None:
    project.suite()
    project.fake(stop="fails")
    result = project.run()
    assert result.ret == 70
    result.stdout.fnmatch_lines(["*3 passed*", "ERROR: The network is in use. Remove it by hand."])
    assert project.events == ["start", "started", "stop"]


def test_a_stop_that_fails_after_another_error_is_said_too(project: Project) -> None:
    project.suite(SUITE.replace("/second", "/hang"))
    project.fake(dies=2, stop="fails")
    result = project.run_apart()
    assert result.ret == 70
    result.stdout.fnmatch_lines(
        ["*The network is in use. Remove it by hand.", "ERROR: Replica 2 died*"]
    )


def test_a_full_disk_is_no_bug(project: Project) -> None:
    project.suite()
    project.fake(start="full")
    result = project.run()
    assert result.ret == 70
    result.stdout.fnmatch_lines(
        ["ERROR: The disk has no room left for /state/env.partial: No space*"]
    )
    assert project.events == ["start", "stop"]


def test_an_unusable_target_is_not_installed_quietly(project: Project) -> None:
    """A programming error in a target is not dressed up as anything else."""
    project.suite()
    project.fake(start="bug")
    result = project.run()
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert project.events == ["start", "stop"]


LOSES_TOKEN = """
class Application:
    requests = 0
    def __call__(self, environ, start):
        self.requests += 1
        lost = self.requests > 2 or environ["PATH_INFO"].endswith("/private")
        start("401 Unauthorized" if lost else "200 OK", [("content-type", "application/json")])
        return [b"{}"]
"""


@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["alone", "workers"])
def test_a_token_that_is_lost_ends_the_run_and_no_test_is_to_blame(
    project: Project, workers: list[str]
) -> None:
    project.module(LOSES_TOKEN, "_token")
    project.fake(application="_token:Application")
    project.settings()
    tests = "".join(f"- {{name: number {number}, GET: /}}\n" for number in range(6))
    project.suite(f"tests:\n{tests}")
    result = project.run_apart(*workers)
    assert result.ret == 70
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["ERROR: *does not take the run's own token any more*run again*"])


def test_a_401_of_its_own_is_a_failed_test(project: Project) -> None:
    project.module(LOSES_TOKEN, "_token")
    project.fake(application="_token:Application")
    project.settings()
    project.suite("tests:\n- {name: refused, GET: /private}\n")
    result = project.run()
    assert result.ret == 1
    result.assert_outcomes(failed=1)
