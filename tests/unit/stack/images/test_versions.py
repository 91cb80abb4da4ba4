"""What runs in the images is asked once, and again where nothing was said."""

from pathlib import Path

import pytest

from harness.stack.images.contents import contents_of
from harness.stack.images.versions import versions
from tests.fakes.machine import Machine, fails

SAID = {
    "*mariadbd*": "echo 'mariadbd  Ver 11.8.6-MariaDB-0+deb13u1 from Debian for Linux on x86_64'",
    "*apache2*": "echo 'Server version: Apache/2.4.66 (Debian)'",
    "*memcached*": "echo 'memcached 1.6.38'",
    "*entrypoint etcd*": "printf 'etcd Version: 3.5.16\\nGit SHA: 7a1'",
    "*haproxy*": "echo 'HAProxy version 3.0.11-1+deb13u2 2025/10/02 - https://haproxy.org/'",
    "*placement*": "echo '16.0.0 (Python 3.13.5)'",
}
NAMES = ("mariadb", "apache", "memcached", "etcd", "haproxy", "placement", "python")


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))


def test_each_program_is_asked_once(machine: Machine) -> None:
    machine.has("docker", SAID)
    wanted = {"mariadb": "11.8.6", "apache": "2.4.66", "memcached": "1.6.38", "etcd": "3.5.16"}
    wanted |= {"haproxy": "3.0.11", "placement": "16.0.0 (Python 3.13.5)"}
    assert versions(contents_of(NAMES)) == versions(contents_of(NAMES)) == wanted
    assert len(machine.calls) == len(wanted)


def test_what_was_not_said_is_unknown_now_and_asked_the_next_time(machine: Machine) -> None:
    machine.has("docker", {**SAID, "*haproxy*": fails("no such image")})
    contents = contents_of(["apache", "haproxy"])
    assert versions(contents) == {"apache": "2.4.66", "haproxy": "unknown"}
    machine.has("docker", SAID)
    assert versions(contents) == {"apache": "2.4.66", "haproxy": "3.0.11"}
