"""A machine on which only faked commands exist: small scripts in place of docker, pip and apt."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

import pytest

NO_REGISTRY = "Error response from daemon: lookup registry.example: no such host"
FULL = "write /var/lib/docker/tmp/x: no space left on device"


def fails(words: str, code: int = 1) -> str:
    return f"echo '{words}' >&2; exit {code}"


class Machine:
    """A machine on which only the faked commands exist."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.path = folder / "bin"
        self.calls_file = folder / "calls"
        self.steps: list[str] = []
        self.home.mkdir()
        self.path.mkdir()
        self.calls_file.touch()

    def has(self, command: str, answers: Mapping[str, str] | None = None) -> Path:
        """Fake a command: for each shell pattern of its arguments, what to do."""
        cases = "".join(
            f"{pattern.replace(' ', '?')}) {do} ;;\n" for pattern, do in (answers or {}).items()
        )
        script, new = self.path / command, self.home / f".{command}.new"
        new.write_text(
            f'#!/bin/sh\necho "{command} $*" >> {self.calls_file}\n'
            f'case "$*" in\n{cases}*) exit 0 ;;\nesac\n'
        )
        new.chmod(0o755)
        # At once: a shell that has just begun to read the script must not meet half of another one.
        new.replace(script)
        return script

    @property
    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines()

    def called(self, start: str) -> bool:
        return any(call.startswith(start) for call in self.calls)


def fresh_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    fake = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(fake.path))
    monkeypatch.setenv("HOME", str(fake.home))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    # make test and .ci/run have variables of their own.
    for name in [name for name in os.environ if name.startswith("HARNESS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    return fake
