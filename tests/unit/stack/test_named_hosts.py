"""Hosts from --host, or an error before anything is begun on any of them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

import pytest

from harness.core.errors import EngineError, HarnessError, UsageError
from harness.engine import command
from harness.stack import named_hosts
from harness.stack.model.hosts import HERE, Host
from harness.stack.named_hosts import found, refuse_checkouts
from tests.fakes.hosts import HOSTS, A, B, info
from tests.fakes.machine import Machine, fails

HOWEVER = "--context b info*"


@pytest.fixture(autouse=True)
def contexts(machine: Machine) -> None:
    machine.has("docker", HOSTS)


def test_without_hosts_everything_is_on_dockers_current_engine(machine: Machine) -> None:
    assert found(()) == HERE
    assert machine.calls == []


@pytest.mark.parametrize("address", ["ssh://ci@192.0.2.7", "tcp://192.0.2.7:2375"])
def test_a_current_engine_on_another_machine_has_that_ones_address(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    assert found(()) == (Host("", "192.0.2.7"),)
    monkeypatch.delenv("DOCKER_HOST")
    assert found(()) == HERE
    (machine.home / ".docker").mkdir()
    (machine.home / ".docker" / "config.json").write_text('{"currentContext": "far"}')
    machine.has("docker", {"context inspect*": f"echo {address}"})
    assert found(()) == (Host("", "192.0.2.7"),)


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:2375", "unix:///run/x.sock", "tcp://no.such.host.invalid:2375"]
)
def test_a_current_engine_behind_a_tunnel_stays_on_the_loopback_interface(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    assert found(()) == HERE


def test_contexts_have_the_addresses_of_their_engines() -> None:
    assert found(("a", "b")) == (A, B)


def test_an_address_that_is_given_wins() -> None:
    assert found(("a=198.51.100.1", "b")) == (Host("a", "198.51.100.1"), B)


def test_a_single_engine_of_this_machine_stays_on_the_loopback_interface() -> None:
    assert found(("default",)) == (Host("default", "127.0.0.1"),)


def test_this_machines_address_is_the_one_that_faces_the_other_hosts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(named_hosts, "_facing", lambda peer: peer.replace("2.2", "2.9"))
    assert found(("default", "b")) == (Host("default", "192.0.2.9"), B)


# Bad input


@pytest.mark.parametrize(
    ("given", "docker", "kind", "words"),
    [
        (["x"], {}, UsageError,
         r"--host x: docker has no context of this name. .*\(a, b, default\)"),
        (["a", "a"], {}, UsageError, "--host a is given twice"),
        (["a", "b"], {HOWEVER: info("ID-A")}, UsageError, "--host b is the same engine as a"),
        (["a", "b=192.0.2.1"], {}, UsageError, "--host b has the address of a"),
        (["a", "b"], {HOWEVER: info("ID-B", processor="aarch64")}, UsageError,
         "The host b is linux on aarch64; images are built here for linux on x86_64"),
        (["a", "b"], {HOWEVER: info("ID-B", system="windows")}, UsageError, "b is windows on"),
        (["a", "b"], {HOWEVER: info("ID-B", "19.03.1")}, EngineError,
         "engine of the host b is version 19.03.1; a stack needs 20.10 or newer"),
        (["a", "b"], {HOWEVER: fails("Cannot connect to the Docker daemon")}, EngineError,
         "The container engine of the host b does not answer. "),
        (["a", "b"], {HOWEVER: "echo"}, EngineError, "of the host b does not answer"),
        (["b", "a"], {"--context a info*": fails("Permission denied (publickey,password).")},
         EngineError, "of the host a does not answer: access is refused, or would need a password"),
        (["a", "b"], {"--context a info*": fails("Host key verification failed.")},
         EngineError, "ssh -o BatchMode=yes"),
        (["=192.0.2.1"], {}, UsageError, "the name is missing"),
        (["a="], {}, UsageError, "the address is missing"),
        (["a=0.0.0.0"], {}, UsageError, "would open ports on every address of that host"),
        (["a=::1"], {}, UsageError, "has no IPv4 address"),
        (["a=127.0.0.1", "b"], {}, UsageError, "127.0.0.1, which other hosts cannot reach"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_host_is_refused_with_its_name(
    machine: Machine,
    given: Sequence[str],
    docker: Mapping[str, str],
    kind: type[HarnessError],
    words: str,
) -> None:
    machine.has("docker", {**docker, **HOSTS, **docker})
    with pytest.raises(kind) as caught:
        found(given)
    assert re.search(words, str(caught.value), re.DOTALL), str(caught.value)


def test_two_engines_of_this_machine_need_addresses(machine: Machine) -> None:
    machine.has("docker", {**HOSTS, "--host unix*info*": info("ID-OTHER")})
    with pytest.raises(UsageError, match=r"address of the host default cannot be told.*=ADDRESS"):
        found(("default", "unix:///run/other.sock"))


def test_a_host_that_hangs_is_named_after_its_time_limit(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "SURVEY_SECONDS", 0.2)
    machine.has("docker", {**HOSTS, HOWEVER: "exec /bin/sleep 60"})
    began = time.monotonic()
    with pytest.raises(EngineError, match="of the host b does not answer within"):
        found(("a", "b"))
    assert time.monotonic() - began < 30


def test_ssh_opens_no_window_for_a_password(machine: Machine) -> None:
    machine.has("docker", {**HOSTS, HOWEVER: 'echo "$SSH_ASKPASS_REQUIRE" >&2; exit 1'})
    with pytest.raises(EngineError, match="never"):
        found(("a", "b"))


def test_checkouts_which_are_mounted_from_this_machine_are_refused() -> None:
    refuse_checkouts(HERE, ["/src"])
    refuse_checkouts((A, B), [])
    with pytest.raises(UsageError, match=r"/src makes no sense on other hosts.*DIST\.whl"):
        refuse_checkouts((A, B), ["/src"])
