"""Other placements than the locked one, built and run, each with its own suites."""

import pytest

from tests.live._live import Commands

# A suite for each kind of policy. The scope of tokens was an option until 16.
SUITES = [
    f"upstream/{name}.yaml"
    for name in ("basic-http", "aggregate-legacy-rbac", "usage-secure-rbac", "aggregate-policy")
]

# Their images may have to be built. Seconds.
BUILD = 600


def run(commands: Commands, *words: str) -> str:
    return commands.run(*commands.pytest_words(*words), timeout=BUILD)


def test_an_older_release_runs_its_own_suites(commands: Commands) -> None:
    said = run(commands, "--replicas", "2", "--placement", "15", *SUITES)
    assert "placement 15.0.0 (15) (option)" in said
    assert "replica secure-rbac-1" in said


@pytest.mark.long
def test_replicas_of_two_releases_take_turns_on_one_database(commands: Commands) -> None:
    words = ["--placement", "15.0.0", "--placement", "16.0.0", "--replicas", "2"]
    said = run(commands, *words, *SUITES)
    assert "placement 15.0.0 and 16.0.0 (option)" in said


@pytest.mark.long
@pytest.mark.parametrize("version", ["13.0.0", "14.0.0", "15.0.0"])
def test_all_suites_of_an_older_release_pass(commands: Commands, version: str) -> None:
    words = ["--replicas", "3", "--placement", version, "--suite", "upstream", "-n2"]
    assert "1313 passed" in run(commands, *words)
