"""The wheel in an environment of its own, in a directory that is no checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live._live import BIN, ROOT, Commands, docker

SUITE = """
defaults:
  request_headers:
    x-auth-token: $ENVIRON['SERVICE_TOKEN']
tests:
- name: versions
  GET: /
  response_json_paths: {"$.versions[0].id": v1.0}
- name: providers
  GET: /resource_providers
"""
OVERRIDE = """
services:
  memcached: {labels: {of-the-user: "yes"}}
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh virtual environment with the wheel and what the wheel names."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = str(BIN / "uv")
    for words in (
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")],
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")],
        [uv, "pip", "install", "--quiet", "--python", str(folder / "venv"), "{wheel}"],
    ):
        wheel = next((folder / "dist").glob("*.whl"), "") if "{wheel}" in words else ""
        subprocess.run(
            [str(wheel) if word == "{wheel}" else word for word in words],
            cwd=ROOT,
            check=True,
            timeout=300,
        )
    return folder / "venv" / "bin"


def test_a_wheel_runs_suites_and_stacks_without_a_checkout(
    commands: Commands, environment: Path
) -> None:
    commands.environment["PATH"] = f"{environment}:{os.environ['PATH']}"
    commands.environment.pop("PYTHONPATH", None)
    suite = commands.suite(SUITE, "mine.yaml")
    said = commands.pytest("--replicas", "3", suite.name)
    assert "2 passed" in said
    assert "building" not in said
    assert "mariadb-env" in commands.harness("matrix", "--list")
    override = commands.folder / "compose.override.yaml"
    override.write_text(OVERRIDE)
    said = commands.harness("up", "--replicas", "1")
    assert f"override   {override}\n" in said
    label = '{{index .Config.Labels "of-the-user"}}'
    assert docker("inspect", "--format", label, f"{commands.name}-memcached-1") == "yes\n"
    # It holds the file's labels: a run that has no such file, or another one, is not given it.
    override.unlink()
    said = commands.harness("up", "--replicas", "1", code=70)
    assert f"was started with {override}, not with none" in said
    assert f"removing {commands.name}" in commands.harness("down")
