"""Two runs on one machine do not meet; a taken port and a taken name are told apart."""

import socket
from collections.abc import Iterator

import pytest

from harness.stack.model.state import StackState
from tests.live._live import Commands, docker, long, own
from tests.live.test_interrupts import QUICK, SUITE


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("command", [long("pytest"), "up"])
def test_a_taken_port_is_named_and_nothing_is_left(
    commands: Commands, taken_port: int, command: str
) -> None:
    if command == "up":
        said = commands.harness("up", "--port", str(taken_port), code=70)
    else:
        suite = commands.suite(QUICK)
        said = commands.pytest(
            "--replicas", "1", "--stack-port", str(taken_port), str(suite), code=70
        )
    error = said.partition("ERROR: ")[2]
    assert f"Port {taken_port} is taken, by " in error
    assert "Give another with --stack-port (pytest) or --port (placement-harness up)" in error
    assert commands.settled() == []


def test_two_runs_at_once_are_both_green_and_do_not_meet(commands: Commands) -> None:
    suite = commands.suite(QUICK)
    runs = [commands.start(*commands.pytest_words("--replicas", "1", str(suite))) for _ in range(2)]
    codes = [run.ends() for run in runs]
    assert codes == [0, 0], "\n".join(run.text for run in runs)
    assert all("1 passed" in run.text for run in runs)
    assert not any("left by a run" in run.text for run in runs)
    assert commands.settled() == []


def test_a_name_in_use_is_refused_with_who_uses_it(commands: Commands) -> None:
    running = commands.start(
        *commands.pytest_words("--replicas", "1", "--stack", "keep", str(commands.suite(SUITE)))
    )
    try:
        running.when("target: placement")
        for words in (["up"], ["down"]):
            said = commands.harness(*words, code=70)
            assert f"The stack {commands.name} is in use by process {running.process.pid}." in said
        suite = commands.suite(QUICK, "other.yaml")
        said = commands.pytest("--replicas", "1", "--stack", "reuse", str(suite), code=70)
        assert f"in use by process {running.process.pid}" in said
        assert "use --stack fresh" in said
        assert running.process.poll() is None
    finally:
        running.interrupt()
        running.ends(30)
    # What was to be kept is kept, and can be removed now.
    commands.harness("down")
    assert commands.settled() == []


def test_a_name_that_another_user_has_is_refused_and_theirs_goes_on(commands: Commands) -> None:
    with own(commands.folder / "other") as other:
        other.name = commands.name
        other.environment["PLACEMENT_HARNESS_NAME"] = commands.name
        other.harness("up", "--replicas", "1")
        for words in (["up", "--replicas", "1"], ["down"]):
            said = commands.harness(*words, code=70)
            assert f"A stack {commands.name} is there already, which belongs to" in said
            assert str(other.state) in said
        assert f"{commands.name} (its state is in {other.state}/" in commands.harness("status")
        assert "nothing was left behind" in commands.harness("reap", "--all")
        assert other.harness("token").strip()
        assert StackState(commands.name, commands.state).record() is None
    assert not docker("ps", "--quiet", "--filter", f"name={commands.name}").strip()
