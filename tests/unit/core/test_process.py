"""Programs that are started: their output, and that they end with all that they have started."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from harness.core.deadline import Cancelled, Deadline, cancellable
from harness.core.process import NO_LIMIT, NOT_FOUND, TIMED_OUT, run
from harness.core.program import Program

# Like docker with its plugin Compose: SIGTERM ends the first process, and the second works on.
PLUGIN = "sh -c 'trap \"\" TERM; echo $$ > {}; sleep 2; touch {}' & wait"


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The file into which the second process of ``command`` writes its number."""
    return tmp_path / "plugin"


def command(plugin: Path) -> tuple[str, ...]:
    return ("sh", "-c", PLUGIN.format(plugin, plugin.with_name("done")))


def number(plugin: Path) -> int:
    for _ in Deadline.after(10).every(0.01):
        if plugin.exists() and plugin.read_text().strip():
            return int(plugin.read_text())
    raise AssertionError("the plugin has not begun")


def test_a_command_has_a_code_an_output_and_errors() -> None:
    outcome = run("sh", "-c", "cat; echo wrong >&2; exit 3", seconds=NO_LIMIT, stdin=b"given")
    assert (outcome.code, outcome.out, outcome.err) == (3, "given", "wrong\n")
    assert outcome.reason == "wrong"


def test_a_command_that_is_not_there_is_an_outcome() -> None:
    assert run("no-such-command", seconds=1).code == NOT_FOUND


def test_a_command_has_a_folder_and_an_environment(tmp_path: Path) -> None:
    outcome = run(
        "/bin/sh", "-c", "pwd; echo $A", seconds=9, folder=tmp_path, environment={"A": "b"}
    )
    assert outcome.out.split() == [str(tmp_path), "b"]


@pytest.mark.parametrize("number", ["INT", "HUP"])
def test_an_interrupt_before_a_command_has_its_own_session_does_not_end_it(
    tmp_path: Path, number: str
) -> None:
    """The terminal's signal reaches a process that has begun, but has not left the session."""
    script = f"test -e once || {{ touch once; kill -{number} $$; }}; cat; echo done >&2"
    outcome = run("sh", "-c", script, seconds=9, folder=tmp_path, stdin=b"given")
    assert (outcome.code, outcome.out, outcome.err) == (0, "given", "done\n")


def test_a_command_that_signals_end_again_has_ended() -> None:
    outcome = run("sh", "-c", "kill -INT $$", seconds=9)
    assert outcome.code == -signal.SIGINT


def test_variables_of_the_compose_file_are_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_PORT", "1")
    assert run("sh", "-c", "echo $HARNESS_PORT", seconds=9).out == "\n"


def test_a_command_that_is_cancelled_has_ended_with_its_plugin(plugin: Path) -> None:
    """Else Compose would go on starting what is being removed."""
    stop = threading.Event()

    def cancel() -> None:
        number(plugin)
        stop.set()

    threading.Thread(target=cancel).start()
    with cancellable(stop), pytest.raises(Cancelled):
        run(*command(plugin), seconds=30)
    assert not alive(number(plugin))


def test_a_command_that_is_too_slow_has_ended_with_its_plugin(plugin: Path) -> None:
    outcome = run(*command(plugin), seconds=0.5)
    assert (outcome.code, outcome.err) == (TIMED_OUT, "not done within 0.5 s")
    assert not alive(number(plugin))


def test_a_command_that_says_nothing_is_given_up() -> None:
    outcome = run("sleep", "60", seconds=60, first_line=0.2)
    assert (outcome.code, outcome.err) == (TIMED_OUT, "no answer within 0.2 s")


def test_a_plugin_that_ignores_the_signal_is_killed(
    plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.core.program.PATIENCE", 0.2)
    program = Program(command(plugin))
    pid = number(plugin)
    program.end()
    assert not alive(pid)
    assert not plugin.with_name("done").exists()


def test_a_program_is_read_line_by_line_beside_the_caller() -> None:
    program = Program(["sh", "-c", "echo one; echo two >&2; exec sleep 60"])
    lines = program.lines()
    assert [next(lines), next(lines)] == ["one", "two"]
    assert program.code is None
    program.end()
    assert program.code is not None
    assert list(lines) == []


@pytest.mark.parametrize("mortal", [True, False])
def test_a_mortal_program_ends_with_the_process_that_started_it(plugin: Path, mortal: bool) -> None:
    script = (
        "import os, sys, time; from pathlib import Path; from harness.core.program import Program\n"
        f"Program({command(plugin)!r}, is_mortal={mortal})\n"
        f"while not Path({str(plugin)!r}).exists(): time.sleep(0.01)\n"
        "os.kill(os.getpid(), 9)"
    )
    Program([sys.executable, "-c", script], environment=dict(os.environ)).wait(20)
    leader = int(Path(f"/proc/{number(plugin)}/stat").read_text().rpartition(")")[2].split()[2])
    for _ in Deadline.after(1.5).every(0.05):
        if not alive(leader):
            break
    assert alive(leader) is not mortal
