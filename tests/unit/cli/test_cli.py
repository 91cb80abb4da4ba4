"""The commands: what they refuse, what they say, and the code that they exit with."""

import errno
import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from harness.cli import common, program
from harness.stack import resolved_plan
from harness.stack.handle import Stack
from harness.stack.images.contents import Contents
from harness.stack.lifecycle import up
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from tests.fakes.commands import WELL, Harness, apart, commands_of, listed, running
from tests.fakes.machine import Machine, fails

_apart = pytest.fixture(autouse=True)(apart)
harness = pytest.fixture(commands_of)


@pytest.mark.parametrize("count", ["0", "-1", "x", "17", "2.5", ""])
@pytest.mark.parametrize("command", [["up", "--replicas"], ["restart", "--replica"], ["scale"]])
def test_a_number_of_replicas_that_cannot_be_is_refused(
    harness: Harness, machine: Machine, command: list[str], count: str
) -> None:
    words = [*command, "--", count] if command == ["scale"] else [*command, count]
    said = harness(*words)
    assert said.code == 64
    assert f" {count} cannot be run. Give a number from 1 to 16." in said.err
    assert machine.calls == []


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_refused(harness: Harness, machine: Machine, port: str) -> None:
    assert harness("up", "--port", port).code == 64
    assert machine.calls == []


def test_a_full_disk_ends_a_command_with_what_to_do(
    harness: Harness, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("docker", WELL)
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(os, "pwrite", mock.Mock(side_effect=full))
    said = harness("down")
    assert said.code == 70
    assert "ERROR: The disk has no room left for " in said.err
    assert "lock: No space left on device. Make room where PLACEMENT_HARNESS_STATE" in said.err


@pytest.mark.parametrize("ignored", [True, False])
def test_a_command_under_nohup_goes_on_when_its_terminal_is_closed(
    harness: Harness, machine: Machine, ignored: bool
) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    machine.has("docker", WELL)
    harness("status")
    assert (signal.getsignal(signal.SIGHUP) is signal.SIG_IGN) is ignored


def test_a_command_that_is_not_there_is_refused(harness: Harness) -> None:
    said = harness("upp")
    assert said.code == 64
    assert "No such command 'upp'" in said.err


def test_the_list_of_commands_says_in_a_whole_sentence_what_each_does(harness: Harness) -> None:
    _, _, commands = harness("--help").out.partition("Commands:\n")
    lines = commands.splitlines()
    assert len(lines) > 20
    assert [line for line in lines if not line.endswith((".", ")"))] == []
    assert [line for line in lines if line.endswith("...")] == []


@pytest.mark.parametrize("name", ["..", ".", "", "../..", "/", "a/b", "X"])
@pytest.mark.parametrize("command", ["up", "down", "env", "token", "logs"])
def test_a_name_that_leads_out_of_the_state_directory_is_refused_and_removes_nothing(
    harness: Harness, machine: Machine, tmp_path: Path, command: str, name: str
) -> None:
    precious = tmp_path / "precious"
    precious.touch()
    kept = StackState("kept")
    kept.create(Record("kept", "keep", 1, 1, ready=True), Secrets())
    said = harness(command, "--name", name)
    assert said.code == 64, said.err
    assert "A stack cannot be named" in said.err
    assert precious.exists()
    assert kept.record() is not None


def test_down_does_not_take_somebody_elses_directory_for_a_stack(
    harness: Harness, machine: Machine, tmp_path: Path
) -> None:
    precious = tmp_path / "state/src/main.py"
    precious.parent.mkdir(parents=True)
    precious.touch()
    machine.has("docker", WELL)
    for command in ("up", "down"):
        said = harness(command, "--name", "src")
        assert said.code == 70
        assert "src exists already, and is not a stack's" in said.err
    assert [path.name for path in precious.parent.iterdir()] == ["main.py"]


@pytest.mark.parametrize("command", ["setup", "up", "down"])
def test_without_an_engine_the_remedy_is_named(
    harness: Harness, tmp_path: Path, command: str
) -> None:
    said = harness(command)
    assert said.code == 70
    assert "ERROR: There is no container engine here: no docker command on PATH." in said.err
    assert "apt-get install docker.io" in said.err
    root = tmp_path / "state"
    assert not root.exists() or not [path for path in root.iterdir() if path.is_dir()]


def test_an_error_is_shown_with_its_evidence(harness: Harness, machine: Machine) -> None:
    machine.has("docker", {"version*": fails("what docker said", 3)})
    said = harness("up")
    assert said.code == 70
    problem, evidence = said.err.strip().splitlines()[-2:]
    assert problem.startswith("ERROR: `docker version` failed with exit code 3. Mend what it names")
    assert evidence == "  what docker said"


@pytest.mark.parametrize("command", [["env"], ["token"], ["scale", "3"], ["restart", "--rolling"]])
def test_what_needs_a_stack_says_how_to_start_one(harness: Harness, command: list[str]) -> None:
    said = harness(*command)
    assert said.code == 70
    assert "No stack placement-harness is running. Start one: placement-harness up" in said.err


def test_how_to_start_one_names_the_stack_that_was_asked_for(harness: Harness) -> None:
    said = harness("token", "--name", "nosuch")
    assert "No stack nosuch is running." in said.err
    assert "placement-harness up --replicas 3 --name nosuch.\n" in said.err


def test_a_stack_without_a_part_of_it_is_not_said_to_be_missing(
    harness: Harness, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(stack: Stack, timeout: float = 0) -> str:
        raise ConnectionRefusedError

    running(monkeypatch)
    monkeypatch.setattr(Stack, "token", refused)
    listed(machine, "apache-1 apache running", "keystone-1 keystone exited")
    said = harness("restart", "--replica", "1")
    assert said.code == 70
    assert "The stack placement-harness is not whole: keystone (exited)." in said.err
    assert "placement-harness logs keystone. To start the stack anew:" in said.err
    assert "placement-harness up --replicas 3.\n" in said.err
    listed(machine, "apache-1 apache running", "keystone-1 keystone running")
    said = harness("restart", "--replica", "1")
    assert "The stack placement-harness runs, but keystone gives no token." in said.err
    assert "placement-harness logs keystone. To start the stack anew:" in said.err


def test_a_stack_of_which_nothing_runs_is_not_running(
    harness: Harness, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(stack: Stack, timeout: float = 0) -> str:
        raise ConnectionRefusedError

    running(monkeypatch)
    monkeypatch.setattr(Stack, "token", refused)
    listed(machine, "apache-1 apache exited", "keystone-1 keystone exited")
    assert "No stack placement-harness is running. Start one:" in harness("env").err


def test_a_second_up_says_that_the_stack_runs_already(
    harness: Harness, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("docker", WELL)
    monkeypatch.setattr(
        resolved_plan, "contents_of", lambda *_: Contents({"placement": ""}, {}, (), "")
    )
    monkeypatch.setattr(Stack, "whole", lambda self: True)
    running(monkeypatch)
    said = harness("up", "--replicas", "3")
    assert said.err == (
        "  placement-harness runs already: 3 replicas behind http://127.0.0.1:8778\n"
    )
    assert said.code == 0


def test_env_prints_what_a_shell_evaluates_and_nothing_secret(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = running(monkeypatch)
    said = harness("env")
    unset, _, exports = said.out.partition("\n")
    assert unset.startswith("unset ")
    assert {"OS_AUTH_URL", "OS_PASSWORD", "OS_PROJECT_NAME"} <= set(unset.split())
    assert exports == (
        f"export OS_CLIENT_CONFIG_FILE={state.clouds_file}\nexport OS_CLOUD=placement-harness\n"
    )
    assert said.code == 0
    assert not [one for one in state.secrets().environment().values() if one in said.out]


def test_env_gives_clients_that_know_no_clouds_yaml_their_variables(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = running(monkeypatch)
    monkeypatch.setenv("OS_PLACEMENT_ENDPOINT_OVERRIDE", "http://elsewhere")
    monkeypatch.setenv("OS_CLOUD", "devstack")
    monkeypatch.setenv("OS_NAME", "Debian")
    said = harness("env", "--os")
    assert not [value for value in state.secrets().environment().values() if value in said.out]
    shell = ["/bin/sh", "-c", f"{said.out}\nenv | grep ^OS_"]
    path = {**os.environ, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(shell, capture_output=True, text=True, check=True, env=path)
    variables = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert variables["OS_PASSWORD"] == state.secrets().admin_password
    assert variables["OS_AUTH_URL"] == "http://127.0.0.1:8778/identity/v3"
    assert variables["OS_NAME"] == "Debian"
    assert not {"OS_CLOUD", "OS_PLACEMENT_ENDPOINT_OVERRIDE"} & variables.keys()


def test_token_prints_the_token_alone(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch)
    assert harness("token").out == "a-token\n"


def test_the_environment_can_name_the_stack(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(monkeypatch, "other")
    monkeypatch.setenv("PLACEMENT_HARNESS_NAME", "other")
    assert "OS_CLOUD=other" in harness("env").out
    assert harness("env", "--name", "placement-harness").code == 70


def test_down_of_a_stack_in_use_is_refused(
    harness: Harness, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("docker", WELL)
    state = running(monkeypatch)
    state.lock()
    said = harness("down")
    assert said.code == 70
    assert "The stack placement-harness is in use by process" in said.err
    assert state.record() is not None
    state.release()


def test_down_of_a_stack_that_is_still_being_prepared_is_refused(
    harness: Harness, machine: Machine
) -> None:
    # It has no record yet: the images are being built.
    machine.has("docker", WELL)
    state = StackState("placement-harness")
    state.lock()
    assert harness("down").code == 70
    assert state.directory.exists()
    state.release()


def test_down_removes_the_stack_and_says_when_there_is_none(
    harness: Harness, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("docker", WELL)
    state = running(monkeypatch)
    state.compose_file.touch()
    assert harness("down").code == 0
    assert any("down" in call and "--volumes" in call for call in machine.calls)
    assert not state.directory.exists()
    said = harness("down")
    assert said.out == "There is no stack placement-harness.\n"
    assert said.code == 0


def test_ctrl_c_ends_with_130(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(up, "bring_up", interrupted)
    said = harness("up")
    assert said.code == 130
    assert "interrupted" in said.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_termination_request_ends_as_ctrl_c_does(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(up, "bring_up", lambda *_: signal.raise_signal(number))
    assert harness("up").code == 130


def test_a_closed_terminal_does_not_keep_a_command_from_going_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(sys, "stderr", Closed())
    common.say("removing one")


def test_reap_says_that_nothing_was_left(harness: Harness, machine: Machine) -> None:
    machine.has("docker")
    said = harness("reap")
    assert (said.code, said.out) == (0, "nothing was left behind\n")


def test_doctor_exits_with_1_when_something_is_missing(harness: Harness) -> None:
    said = harness("doctor")
    assert said.code == 1
    assert "need" in said.out
    assert "apt-get install docker.io" in said.out.replace("\n", " ")


def test_the_commands_of_the_readme_are_there() -> None:
    wanted = {"up", "down", "env", "token", "status", "logs", "scale", "restart", "reap", "doctor"}
    assert wanted | {"setup", "matrix"} <= set(program.main.commands)
