"""`docker compose up` by hand, in a clone, with the .env that make writes."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from harness.core import ports
from harness.identity.keystone import Keystone
from tests.live._live import BIN, LONG, ROOT, Commands, docker


@pytest.fixture
def clone(commands: Commands) -> Iterator[Path]:
    # A name and a port of the test's own, in place of compose.yaml's.
    commands.environment["HARNESS_STACK"] = commands.name
    commands.environment["HARNESS_PORT"] = str(ports.free())
    copy = commands.folder / "clone"
    copy.mkdir(parents=True)
    shutil.copytree(ROOT / "services", copy / "services")
    for name in ("compose.yaml", "Makefile"):
        shutil.copy(ROOT / name, copy)
    # `make .env` asks this virtual environment; it is there already.
    (copy / ".venv").symlink_to(BIN.parent)
    # Newer secrets than .env has make it stale.
    (copy / "harness").symlink_to(ROOT / "harness")
    # `make images` writes it; nothing is built here.
    subprocess.run(
        ["make", "--silent", "--assume-old=venv", ".env"],
        cwd=copy,
        env=commands.environment,
        check=True,
        timeout=60,
        capture_output=True,
    )
    yield copy
    compose(copy, commands, "down", "--volumes", "--timeout", "0")


def compose(clone: Path, commands: Commands, *words: str) -> str:
    ended = subprocess.run(
        ["docker", "compose", *words],
        cwd=clone,
        env=commands.environment,
        text=True,
        timeout=LONG,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def answer(url: str, password: str) -> requests.Response:
    """placement's answer to the stack's admin, once there is one."""
    domain = {"id": "default"}
    user = {"name": "admin", "domain": domain, "password": password}
    end = time.monotonic() + 60
    while True:
        try:
            token = Keystone(
                f"{url}/identity/v3",
                {"methods": ["password"], "password": {"user": user}},
                {"project": {"name": "admin", "domain": domain}},
                "admin",
            ).token(timeout=5)
            headers = {"X-Auth-Token": token}
            found = requests.get(f"{url}/placement/resource_providers", headers=headers, timeout=5)
            if found.status_code == 200 or time.monotonic() > end:
                return found
        except Exception:
            if time.monotonic() > end:
                raise
        time.sleep(0.2)


@pytest.mark.skipif(not shutil.which("make"), reason="make is what is tested")
def test_a_stack_started_by_hand_serves_and_goes_without_a_trace(
    commands: Commands, clone: Path
) -> None:
    assert (clone / ".env").stat().st_mode & 0o777 == 0o600
    values = dict(line.split("=", 1) for line in (clone / ".env").read_text().splitlines())
    compose(clone, commands, "up", "--detach", "--no-build", "--pull", "never")
    served = answer(
        f"http://127.0.0.1:{commands.environment['HARNESS_PORT']}", values["HARNESS_ADMIN_PASSWORD"]
    )
    assert served.json() == {"resource_providers": []}
    # The harness's commands show the stack, and do not touch it: its user started it.
    assert f"{commands.name} (started by hand)" in commands.harness("status")
    assert "which was started by hand" in commands.harness("down", code=70)
    assert "nothing was left behind" in commands.harness("reap", "--all")
    assert len(docker("ps", "--quiet", "--filter", f"name={commands.name}-").split()) == 7
    compose(clone, commands, "down", "--volumes", "--timeout", "0")
    for kind in (["ps", "--all"], ["network", "ls"], ["volume", "ls"]):
        assert docker(*kind, "--quiet", "--filter", f"name={commands.name}") == ""


def test_compose_without_an_env_file_says_what_writes_it(commands: Commands) -> None:
    copy = commands.folder / "bare"
    copy.mkdir(parents=True)
    shutil.copy(ROOT / "compose.yaml", copy)
    ended = subprocess.run(
        ["docker", "compose", "config"],
        cwd=copy,
        text=True,
        timeout=LONG,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
        capture_output=True,
    )
    assert ended.returncode != 0
    assert "make images writes it" in ended.stderr
