"""Compose's commands for one project."""

from pathlib import Path

import pytest

from harness.engine.compose import Compose, Up
from harness.engine.docker import Engine
from tests.fakes.machine import Machine

FILES = [Path("/a.yaml"), Path("/b.yaml")]


def compose(busy: Path | None = None) -> Compose:
    return Compose(Engine(), FILES, project="one", env_file=Path("/env"), busy=busy)


def test_a_project_is_read_from_its_files_and_variables(machine: Machine) -> None:
    machine.has("docker", {"compose*config*": """echo '{"name": "one"}'"""})
    assert compose().config() == {"name": "one"}
    (call,) = machine.calls
    assert call.startswith("docker compose --progress plain --file /a.yaml --file /b.yaml ")
    assert "--project-name one" in call


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (Up(), ""),
        (Up(("a", "b"), recreate=False), " --no-recreate a b"),
        (Up(start=False, dependencies=False), " --no-start --no-deps"),
        (Up(remove_orphans=True), " --remove-orphans"),
    ],
)
def test_up_does_what_it_is_told(machine: Machine, what: Up, words: str) -> None:
    machine.has("docker")
    compose().up(what)
    assert machine.calls[0].endswith(f" up --detach --no-build --pull never --quiet-pull{words}")


def test_down_removes_everything_at_once(machine: Machine) -> None:
    machine.has("docker")
    compose().down()
    assert machine.calls[0].endswith(" down --volumes --remove-orphans --timeout 0")


def test_a_command_that_changes_the_project_holds_a_lock(machine: Machine, tmp_path: Path) -> None:
    machine.has("docker", {"*down*": f"[ -e {tmp_path}/busy ]", "*up*": f"[ -e {tmp_path}/busy ]"})
    flock = machine.has("flock")
    flock.write_text('#!/bin/sh\n: > "$3"\nshift 3\nexec "$@"\n')
    busy = tmp_path / "busy"
    compose(busy).up(Up())
    busy.unlink()
    compose(busy).down()
    assert busy.exists()


def test_variables_of_the_compose_file_are_kept_from_compose(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user may have set them for a stack that is started by hand."""
    monkeypatch.setenv("HARNESS_PORT", "9000")
    machine.has("docker", {"*": 'test -z "$HARNESS_PORT"'})
    compose().down()
    compose().up(Up())
