"""doctor checks everything that a stack needs, and says what to do about what is missing."""

import errno
import fcntl
import json
import platform
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from harness.core import memory, ports
from harness.stack.images.catalogue import IMAGES, needed
from harness.stack.images.contents import contents_of
from harness.stack.lifecycle import doctor, engine_checks
from harness.stack.lifecycle.findings import Finding
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from tests.fakes.hosts import HOSTS
from tests.fakes.images import details, listed
from tests.fakes.machine import Machine, fails

Usage = namedtuple("Usage", "total used free")


def info(own: str, *drivers: str) -> str:
    """The engine's description of itself, with its log drivers."""
    told = {"DockerRootDir": "/", "LoggingDriver": own, "Plugins": {"Log": drivers}}
    return f"echo '{json.dumps(told)}'"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def well(machine: Machine, root: Path) -> dict[str, str]:
    """docker's answers on a machine that lacks nothing."""
    tags = [IMAGES[name].tag(content) for name, content in contents_of(IMAGES).images.items()]
    answers = {
        "version*": "echo 28.1.0",
        "compose version*": "echo 2.40.3",
        "image ls*": listed(*tags),
        "system info*": info("syslog", "json-file", "syslog"),
        "image inspect*": details(),
    }
    machine.has("docker", answers)
    for tool in doctor.TOOLS:
        machine.has(tool)
    return answers


def found() -> dict[str, Finding]:
    return {finding.what: finding for finding in doctor.examine()}


def test_a_machine_that_lacks_nothing_is_well(
    well: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "MEMORY_GIB", 0)
    monkeypatch.setattr(doctor, "DISK_GIB", 0)
    findings = found()
    assert [finding.what for finding in findings.values() if not finding.ok] == []
    assert findings["container engine"].result == "28.1.0"
    assert findings["Compose v2"].result == "2.40.3"
    assert findings["images"].result == f"{len(needed('mariadb', 'env', beside=True))}, up to date"
    assert findings["leftovers"].result == "none"
    assert findings["log driver"].result == "json-file for stacks; the engine's own is syslog"
    assert findings["networks"].result == "there are addresses for another one"


@pytest.mark.parametrize(
    ("address", "is_named"),
    [
        ("unix:///var/run/docker.sock", False),
        ("tcp://127.0.0.1:2375", False),
        ("tcp://192.0.2.1:2375", True),
        ("ssh://me@192.0.2.1", True),
    ],
)
def test_an_engine_on_another_machine_is_named(
    machine: Machine, well: dict[str, str], address: str, is_named: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("DOCKER_HOST", address)
    machine.has("docker", well)
    findings = found()
    assert ("host" in findings) is is_named
    if is_named:
        assert "stacks listen on 192.0.2.1 there" in findings["host"].result


def test_hosts_are_checked_with_the_rest(machine: Machine, well: dict[str, str]) -> None:
    machine.has("docker", {**well, **HOSTS})
    hosts = [finding for finding in doctor.examine(["a", "b"]) if finding.what == "host"]
    assert [finding.result for finding in hosts] == [
        "a: stacks listen on 192.0.2.1 there", "b: stacks listen on 192.0.2.2 there"
    ]  # fmt: skip
    (bad,) = [finding for finding in doctor.examine(["a", "x"]) if finding.what == "host"]
    assert "docker has no context of this name" in bad.result
    assert not bad.ok


@pytest.mark.parametrize(("network", "is_named"), [("bridge", True), ("host", False)])
def test_a_container_beside_which_stacks_listen_is_named(
    machine: Machine,
    well: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    network: str,
    is_named: bool,
) -> None:
    """A devcontainer with the engine's socket has a loopback interface of its own."""
    mounts = tmp_path / "mountinfo"
    source = f"/var/lib/docker/containers/{'ab12' * 16}/hostname"
    mounts.write_text(f"813 797 8:1 {source} /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n")
    monkeypatch.setattr(engine_checks, "MOUNTS", mounts)
    machine.has("docker", {**well, "container inspect*": f"echo {network}"})
    findings = found()
    assert ("engine's address" in findings) is is_named
    if is_named:
        assert "runs in the container ab12ab12ab12" in findings["engine's address"].result
        assert "--network host" in findings["engine's address"].remedy
    # To a container of another engine, this one's answer is an error.
    machine.has("docker", {**well, "container inspect*": fails("No such container")})
    assert "engine's address" not in found()


def test_an_engine_without_addresses_for_a_network_is_named(
    machine: Machine, well: dict[str, str]
) -> None:
    words = "could not find an available, non-overlapping IPv4 address pool among the defaults"
    machine.has(
        "docker", {**well, "network create*": fails(f"Error response from daemon: {words}")}
    )
    finding = found()["networks"]
    assert finding.result == "The container engine has no addresses left for another network."
    assert "docker network prune" in finding.remedy
    machine.has("docker", {**well, "network create*": fails("Error: no bridge")})
    assert found()["networks"].result == "`docker network create` fails: Error: no bridge"


def test_the_network_that_doctor_makes_is_a_stacks_and_goes(
    machine: Machine, well: dict[str, str]
) -> None:
    assert found()["networks"].ok
    made, removed = (
        next(call for call in machine.calls if call.startswith(f"docker network {verb} "))
        for verb in ("create", "rm")
    )
    name = made.split()[-1]
    assert f"={name} " in made
    assert removed.split()[-1] == name


def test_an_engine_and_a_compose_that_do_not_fit_are_named(
    machine: Machine, well: dict[str, str]
) -> None:
    old = "client version 1.44 is too new. Maximum supported API version is 1.41"
    machine.has("docker", {**well, "compose*ls*": fails(f"Error response from daemon: {old}")})
    finding = found()["Compose v2"]
    assert finding.result.startswith("2.40.3. docker's command line or Compose does not fit")
    assert "DOCKER_API_VERSION" in finding.remedy
    machine.has("docker", {**well, "compose*ls*": fails("no such thing")})
    assert found()["Compose v2"].result == "2.40.3. `docker compose ls` fails: no such thing"
    machine.has("docker", {**well, "version*": fails(f"Error response from daemon: {old}")})
    finding = found()["container engine"]
    assert finding.result.startswith("docker's command line or Compose does not fit")


def test_an_engine_without_the_log_driver_of_stacks_is_named(
    machine: Machine, well: dict[str, str]
) -> None:
    machine.has("docker", {**well, "system info*": info("k8s-file", "journald", "k8s-file")})
    finding = found()["log driver"]
    assert "no json-file" in finding.result
    assert "journald, k8s-file" in finding.result
    assert "compose.override.yaml" in finding.remedy


def test_lanes_are_told_with_what_memory_allows(
    well: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for available, text in (
        (2.0, "; memory for 5 with 3 replicas each"),
        (64.0, "; memory for 16"),
    ):
        monkeypatch.setattr(memory, "available_gib", lambda size=available: size)
        assert found()["lanes"].result.startswith(f"-n 16 at most{text}")
    # The engine's machine is another one.
    monkeypatch.setattr(memory, "available_gib", lambda: None)
    assert found()["lanes"] == Finding("lanes", "-n 16 at most")
    assert found()["memory"].ok


def test_a_kept_stack_that_has_stopped_and_lost_its_port_is_named(
    well: dict[str, str], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: port != 4711)
    for name, port in (("kept", 4711), ("other", 4712)):
        StackState(name).create(Record(name, "keep", 1, port, ready=True), Secrets())
    findings = found()
    kept = StackState("kept").name
    assert "port 4711, where it listens, was taken meanwhile" in findings[f"stack {kept}"].result
    assert [what for what in findings if what.startswith("stack ")] == [f"stack {kept}"]


def test_settings_of_the_users_that_have_no_influence_are_named(
    well: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPOSE_PROFILES", "build")
    monkeypatch.setenv("PIP_CONSTRAINT", "/constraints.txt")
    finding = found()["environment"]
    assert finding.ok
    assert "COMPOSE_PROFILES" in finding.result
    assert "PIP_CONSTRAINT" in finding.result


def test_without_an_engine_the_rest_is_checked_all_the_same(machine: Machine, root: Path) -> None:
    findings = found()
    assert "apt-get install docker.io" in findings["container engine"].remedy
    assert "Compose v2" not in findings
    assert {"disk", "memory", "state directory", "leftovers"} <= set(findings)


def test_what_set_up_gets_is_named_with_the_command_that_gets_it(
    machine: Machine, well: dict[str, str]
) -> None:
    missing = {"compose*": "exit 1", "image*": fails("No such image")}
    machine.has("docker", {**missing, **well, **missing})
    findings = found()
    for what in ("Compose v2", "base image", "images"):
        assert "placement-harness setup" in findings[what].remedy, what


def test_an_old_compose_is_named_with_what_is_needed(
    machine: Machine, well: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("docker", {**well, "compose version*": "echo 2.6.0"})
    finding = found()["Compose v2"]
    assert finding.result == "2.6.0, and a stack needs 2.19 or newer"
    assert "placement-harness setup" in finding.remedy
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert "Install Compose v2, 2.19 or newer, by hand" in found()["Compose v2"].remedy


def test_an_image_that_is_out_of_date_is_named(machine: Machine, well: dict[str, str]) -> None:
    contents = {**contents_of(IMAGES).images, "apache": "old"}
    tags = [IMAGES[name].tag(content) for name, content in contents.items()]
    machine.has("docker", {**well, "image ls*": listed(*tags)})
    assert found()["images"].result == "missing or out of date: apache"


def test_too_little_disk_and_memory_are_told_in_figures(
    well: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(9, 9, 2 * doctor.GIB))
    monkeypatch.setattr(doctor, "MEMORY_GIB", 10**6)
    findings = found()
    assert findings["disk"].result.startswith("2 GiB free in ")
    assert "docker system df" in findings["disk"].remedy
    assert "GiB available" in findings["memory"].result
    assert "Free some" in findings["memory"].remedy


def test_tools_that_keep_commands_whole_are_named_when_they_are_missing(
    machine: Machine, well: dict[str, str]
) -> None:
    (machine.path / "setpriv").unlink()
    finding = found()["util-linux"]
    assert finding.result == "missing: setpriv"
    assert "apt-get install util-linux" in finding.remedy


def test_a_port_that_somebody_has_is_worth_a_note_alone(
    well: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: True)
    assert found()["port 8778"] == Finding("port 8778", "free")
    monkeypatch.setattr(ports, "is_free", lambda port: False)
    assert found()["port 8778"].ok
    assert "in use" in found()["port 8778"].result


def test_a_state_directory_that_cannot_be_written_is_named(
    well: dict[str, str], root: Path
) -> None:
    root.write_text("a file in the way")
    finding = found()["state directory"]
    assert str(root) in finding.result
    assert "PLACEMENT_HARNESS_STATE" in finding.remedy


def test_a_state_directory_without_locks_is_named(
    well: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    StackState("killed").create(Record("killed", "fresh", 1, 1), Secrets())

    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    for what in ("state directory", "leftovers"):
        finding = found()[what]
        assert not finding.ok
        assert "does not lock files: No locks available" in finding.result


def test_a_state_directory_that_cannot_be_read_is_named(
    well: dict[str, str], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def iterdir(self: Path) -> object:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    root.mkdir()
    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert f"{root} cannot be read" in found()["leftovers"].result


def test_leftovers_are_named_but_not_what_runs_or_was_kept(
    well: dict[str, str], root: Path
) -> None:
    for name, lifetime in (("killed", "fresh"), ("live", "fresh"), ("kept", "keep")):
        record = Record(name, lifetime, 1, 1, ready=True)  # type: ignore[arg-type]
        StackState(name).create(record, Secrets())
    live = StackState("live")
    live.lock()
    finding = found()["leftovers"]
    assert finding.result == "killed"
    assert finding.remedy == "Run `placement-harness reap`."
    # It only had a look.
    assert StackState("killed").acquire()
    live.release()
