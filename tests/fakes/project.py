"""A project with suites and a fake target, in which tests of the plugin run pytest."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import harness.plugin.setup  # noqa: F401

# Imported here, they are the same modules for every run in this process: pytester forgets those
# that a run imports itself.
from tests.fakes import other_target as other_fake_target  # noqa: F401
from tests.fakes import target as fake_target  # noqa: F401

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# A run that hangs is none that takes long.
SECONDS = 300

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

    def suite(self, text: str = SUITE, name: str = "gabbits/one.yaml") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def module(self, text: str, name: str) -> None:
        """A Python module that suites' settings can name."""
        (self.path / f"{name}.py").write_text(text)

    def settings(self, **settings: str) -> None:
        lines = [f"{name} = {value}" for name, value in settings.items()]
        self.pytester.makeini("\n".join(["[pytest]", "pythonpath = .", *lines, ""]))

    def fake(self, **told: Any) -> None:
        os.environ["FAKE"] = json.dumps(told)

    def other(self, **told: Any) -> None:
        """Tell the other side of a comparison what to do."""
        os.environ["FAKE_OTHER"] = json.dumps(told)

    def run(self, *arguments: str, target: str = "fake") -> pytest.RunResult:
        return self.pytester.runpytest_inprocess(
            "--target", target, *arguments, no_reraise_ctrlc=True
        )

    def run_workers(self, *arguments: str, target: str = "fake") -> pytest.RunResult:
        """Run pytest with xdist's workers. Only the workers need processes, the controller none."""
        return self.run("-p", "tests.fakes.target", *arguments, target=target)

    def run_apart(self, *arguments: str, target: str = "fake") -> pytest.RunResult:
        """Run pytest in a process of its own, as a run needs that changes its process for good."""
        words = ("-p", "tests.fakes.target", "--target", target, *arguments)
        return self.pytester.runpytest_subprocess(*words, timeout=SECONDS)

    @property
    def events(self) -> list[str]:
        """The calls of the fake target, without its checks."""
        return [one for one in self.all_events if one != "check"]

    @property
    def all_events(self) -> list[str]:
        file = self.path / "events"
        return file.read_text().split("\n")[:-1] if file.exists() else []


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in list(os.environ):
        if name.startswith(("OS_", "PLACEMENT_", "FAKE", "GABBI_")) or name == "SERVICE_TOKEN":
            monkeypatch.delenv(name)
    monkeypatch.setenv("FAKE", "{}")
    monkeypatch.setenv("FAKE_OTHER", "{}")
    monkeypatch.setenv("FAKE_EVENTS", str(pytester.path / "events"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Project(pytester)
