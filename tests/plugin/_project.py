"""A project with suites and a fake target, in which tests of the plugin run pytest."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent

SUITE = """
tests:
- name: first
  GET: /first
- name: second of them
  GET: /second
- name: third
  GET: /third
"""


class Project:
    """A directory with suites; ``run`` runs pytest in it against the fake target."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self.events_file = self.path / "events"

    def suite(self, text: str = SUITE, name: str = "gabbits/one.yaml") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def fake(self, **told: Any) -> None:
        os.environ["FAKE"] = json.dumps(told)

    def run(self, *arguments: str, target: str = "fake") -> pytest.RunResult:
        return self.pytester.runpytest_inprocess("-p", "_fake", "--target", target, *arguments)

    def run_apart(self, *arguments: str, target: str = "fake") -> pytest.RunResult:
        return self.pytester.runpytest_subprocess("-p", "_fake", "--target", target, *arguments)

    @property
    def events(self) -> list[str]:
        """What was done with the fake target, without the looks at it."""
        return [one for one in self.all_events if one != "check"]

    @property
    def all_events(self) -> list[str]:
        return self.events_file.read_text().split("\n")[:-1] if self.events_file.exists() else []


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in list(os.environ):
        if name.startswith(("OS_", "PLACEMENT_", "FAKE", "GABBI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FAKE", "{}")
    monkeypatch.setenv("FAKE_EVENTS", str(pytester.path / "events"))
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    monkeypatch.syspath_prepend(HERE)
    return Project(pytester)
