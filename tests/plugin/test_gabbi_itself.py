"""gabbi's own suites give the same through our collector as through gabbi's driver."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes import sdist as _sdist
from tests.fakes.project import HERE, Project

APPLICATION = "gabbi.tests.simple_wsgi:SimpleWsgi"
OUTCOMES = """
import json
from pathlib import Path
from gabbi.tests import util
util.set_test_environ()
outcomes = {}

def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        file, _, name = report.nodeid.partition("::")
        outcome = report.outcome
        if hasattr(report, "wasxfail"):
            outcome = "xfailed"
        outcomes.setdefault(f"{Path(file).stem}::{name}", outcome)

def pytest_sessionfinish():
    Path("ours.json").write_text(json.dumps(outcomes))
"""


@dataclass(frozen=True)
class Suites:
    """A directory of gabbi's suites, the test module that runs it, and the same as settings."""

    directory: str
    module: str
    settings: dict[str, str] = field(default_factory=dict)
    tests: int = 0


INTERCEPT = Suites(
    "gabbits_intercept",
    "gabbi.tests.test_intercept",
    {
        "gabbi_fixture_modules": "gabbi.tests.test_intercept",
        "gabbi_response_handlers": "gabbi.tests.test_intercept:StubResponseHandler",
    },
    tests=139,
)
ALL = [
    INTERCEPT,
    Suites(
        "gabbits_inner",
        "gabbi.tests.test_inner_fixture",
        {
            "gabbi_fixture_modules": "gabbi.tests.test_inner_fixture",
            "gabbi_inner_fixtures": "gabbi.tests.test_inner_fixture:InnerFixture",
        },
        tests=3,
    ),
    Suites(
        "gabbits_handlers",
        "gabbi.tests.test_yaml_disk_loading_jsonhandler",
        {
            "gabbi_content_handlers": "gabbi.handlers.yaml_disk_loading_jsonhandler"
            ":YAMLDiskLoadingJSONHandler"
        },
        tests=4,
    ),
    Suites(
        "gabbits_unsafe_yaml",
        "gabbi.tests.test_unsafe_yaml",
        {"gabbi_fixture_modules": "gabbi.tests.test_unsafe_yaml", "gabbi_safe_yaml": "false"},
        tests=1,
    ),
    # gabbi runs these from its command line; its driver runs them too.
    Suites(
        "gabbits_runner",
        "gabbi.tests.test_unsafe_yaml",
        {"gabbi_fixture_modules": "gabbi.tests.test_unsafe_yaml", "gabbi_safe_yaml": "false"},
        tests=8,
    ),
    Suites(
        "gabbits_live",
        "gabbi.tests.test_live",
        {"gabbi_fixture_modules": "gabbi.tests.test_live"},
        tests=12,
    ),
    Suites("test_gabbits", "gabbi.tests.test_unsafe_yaml", tests=3),
]


def theirs(suites: Suites, directory: Path, target: Path) -> dict[str, str]:
    """The outcomes under gabbi's own driver."""
    command = [sys.executable, str(HERE / "gabbi_driver.py"), str(directory), suites.module]
    done = subprocess.run(
        [*command, str(target)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes: dict[str, str] = json.loads(target.read_text())
    # Its names begin with the name of the loader.
    return {name.removeprefix("own_"): outcome for name, outcome in outcomes.items()}


def ours(project: Project, suites: Suites, directory: Path, *, prefix: str) -> dict[str, str]:
    """The outcomes through our collector."""
    project.fake(application=APPLICATION, url=f"http://{uuid.uuid4()}:8001{prefix}", prefix=prefix)
    (project.path / "outcomes.py").write_text(OUTCOMES)
    settings = "\n".join(f"{name} = {value}" for name, value in suites.settings.items())
    ini = project.pytester.makeini(f"[pytest]\n{settings}\n")
    result = project.run_apart("-p", "outcomes", "-c", str(ini), str(directory))
    assert result.ret in (0, 1)
    outcomes: dict[str, str] = json.loads((project.path / "ours.json").read_text())
    return outcomes


@pytest.mark.parametrize(
    ("suites", "prefix"),
    # Only these look at the prefix.
    [*((suites, "") for suites in ALL), (INTERCEPT, "/snoopy")],
    ids=lambda value: value if isinstance(value, str) else value.directory,
)
def test_every_test_of_gabbi_comes_out_as_under_gabbi(
    project: Project, monkeypatch: pytest.MonkeyPatch, suites: Suites, prefix: str
) -> None:
    directory = _sdist.tests_directory() / suites.directory
    monkeypatch.setenv("GABBI_PREFIX", prefix)
    monkeypatch.setenv("GABBI_SKIP_NETWORK", "true")
    expected = theirs(suites, directory, project.path / "theirs.json")
    assert len(expected) == suites.tests
    found = ours(project, suites, directory, prefix=prefix)
    assert found == expected
    assert os.environ["GABBI_PREFIX"] == prefix
