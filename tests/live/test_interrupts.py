"""Ctrl-C and kill -9 at any moment: what they leave is nothing, or what `reap` finds.

A neighbour's stack runs all the while, in the same state directory, and is never touched.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live._live import ROOT, Commands, Running, docker, long, own

SUITE = """
defaults:
  request_headers:
    x-auth-token: $ENVIRON['SERVICE_TOKEN']
    accept: application/json
tests:
- name: never comes
  GET: $ENVIRON['PLACEMENT_SERVICE']/resource_providers?name=nobody
  poll: {count: 300, delay: 0.1}
  response_json_paths:
    $.resource_providers[0].name: nobody
"""
QUICK = """
tests:
- name: versions
  GET: $ENVIRON['PLACEMENT_SERVICE']/
  request_headers: {accept: application/json}
"""

UP = ["placement-harness", "up", "--replicas", "1"]
# What a run says when it has come so far.
STARTING, RUNNING, REMOVING = "starting ", "target: placement", "removing "


@pytest.fixture
def mine(commands: Commands) -> Commands:
    """Commands in whose state directory no other test's stack is."""
    return commands


def begin(mine: Commands, words: list[str], moment: str) -> Running:
    running = mine.start(*words)
    running.when(moment)
    if moment == STARTING:
        # Compose is at work by then, and not done.
        time.sleep(0.7)
    return running


def run_of(mine: Commands, moment: str) -> list[str]:
    suite = mine.suite(QUICK if moment == REMOVING else SUITE)
    return mine.pytest_words("--replicas", "1", str(suite))


@pytest.mark.parametrize("moment", [long(STARTING), RUNNING, REMOVING])
def test_ctrl_c_in_a_run_of_pytest_leaves_nothing(mine: Commands, moment: str) -> None:
    running = begin(mine, run_of(mine, moment), moment)
    running.interrupt()
    assert running.ends(30) == 2, running.text
    assert mine.settled() == []


@pytest.mark.parametrize("moment", [STARTING, long(RUNNING)])
def test_a_second_ctrl_c_does_not_keep_pytest_from_clearing_up(mine: Commands, moment: str) -> None:
    running = begin(mine, run_of(mine, moment), moment)
    running.interrupt()
    time.sleep(0.3)
    running.interrupt()
    code = running.ends(30)
    assert mine.settled() == []
    assert code == 2, running.text


@pytest.mark.parametrize("times", [long(1), 3])
def test_ctrl_c_during_up_leaves_nothing(mine: Commands, times: int) -> None:
    running = begin(mine, UP, STARTING)
    for _ in range(times):
        running.interrupt()
        time.sleep(0.2)
    assert running.ends(30) == 130, running.text
    assert "interrupted" in running.text
    assert mine.settled() == []


def test_ctrl_c_during_down_takes_the_stack_down_whole(mine: Commands) -> None:
    mine.run(*UP)
    running = begin(mine, ["placement-harness", "down"], REMOVING)
    running.interrupt()
    assert running.ends(30) in {0, 130}, running.text
    assert mine.settled() == []


def test_a_termination_request_ends_up_as_ctrl_c_does(mine: Commands) -> None:
    running = begin(mine, UP, STARTING)
    running.process.terminate()
    assert running.ends(30) == 130, running.text
    assert mine.settled() == []


# Building


@pytest.fixture
def unbuildable(mine: Commands) -> Iterator[Path]:
    """A copy of the project, one of whose images takes for ever to build."""
    copy = mine.folder / "copy"
    copy.mkdir()
    for name in ("harness", "services", "requirements"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "compose.yaml", copy)
    recipe = copy / "services/memcached/Dockerfile"
    recipe.write_text(f"FROM placement-harness/base:trixie\nRUN echo {mine.name}; sleep 3600\n")
    mine.environment["PYTHONPATH"] = str(copy)
    yield copy
    assert not sleeping(), "the build goes on"


def sleeping() -> list[str]:
    """The processes of builds that take for ever."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if b"sleep\x003600\x00" in line:
            found.append(path.parent.name)
    return found


def wait_for_build(sleeps: bool) -> None:
    end = time.monotonic() + 30
    while bool(sleeping()) is not sleeps:
        assert time.monotonic() < end, f"build {'not begun' if sleeps else 'not ended'}"
        time.sleep(0.1)


@pytest.mark.parametrize("command", ["pytest", long("up")])
def test_ctrl_c_during_a_build_ends_it(mine: Commands, unbuildable: Path, command: str) -> None:
    before = docker("image", "inspect", "placement-harness/memcached", "--format", "{{.Id}}")
    running = mine.start(*(UP if command == "up" else run_of(mine, STARTING)))
    running.when("building memcached")
    wait_for_build(sleeps=True)
    running.interrupt()
    assert running.ends(30) == (130 if command == "up" else 2), running.text
    wait_for_build(sleeps=False)
    assert mine.settled() == []
    after = docker("image", "inspect", "placement-harness/memcached", "--format", "{{.Id}}")
    assert after == before


# kill -9


@pytest.fixture(scope="module")
def beside(folder: Path) -> Iterator[Commands]:
    """Commands in whose state directory another run of the same user has a live stack."""
    with own(folder / "beside") as commands:
        commands.harness("up", "--replicas", "1", "--name", neighbour(commands))
        yield commands


def neighbour(beside: Commands) -> str:
    return f"{beside.name}-next"


def neighbour_is_well(beside: Commands) -> bool:
    return bool(beside.harness("token", "--name", neighbour(beside)).strip())


def left_of_the_killed(beside: Commands) -> list[str]:
    return [line for line in beside.settled(1) if neighbour(beside) not in line]


@pytest.mark.parametrize("moment", [STARTING, long(RUNNING), long(REMOVING)])
def test_reap_clears_what_kill_9_left_and_nothing_of_a_neighbour(
    beside: Commands, moment: str
) -> None:
    running = begin(beside, run_of(beside, moment), moment)
    running.kill()
    printed = beside.harness("reap")
    assert "removed placement-harness-" in printed or moment == REMOVING
    assert neighbour(beside) not in printed
    assert left_of_the_killed(beside) == []
    assert neighbour_is_well(beside)


@pytest.mark.long
@pytest.mark.parametrize("moment", [STARTING, RUNNING])
def test_the_next_run_clears_what_kill_9_left_and_nothing_of_a_neighbour(
    beside: Commands, moment: str
) -> None:
    running = begin(beside, run_of(beside, moment), moment)
    running.kill()
    printed = beside.pytest("--replicas", "1", str(beside.suite(QUICK)))
    assert "was left by a run that was killed" in printed
    assert "1 passed" in printed
    assert left_of_the_killed(beside) == []
    assert neighbour_is_well(beside)


@pytest.mark.long
def test_reap_clears_a_stack_whose_up_was_killed(mine: Commands) -> None:
    running = begin(mine, UP, STARTING)
    running.kill()
    assert f"removed {mine.name}" in mine.harness("reap")
    assert mine.settled() == []


@pytest.mark.long
def test_reap_finds_a_stack_whose_state_was_deleted(mine: Commands) -> None:
    mine.run(*UP)
    shutil.rmtree(mine.state / mine.name)
    assert f"removed {mine.name}" in mine.harness("reap")
    assert mine.settled() == []


def test_reap_leaves_a_run_alone_that_is_under_way(mine: Commands) -> None:
    running = begin(mine, run_of(mine, RUNNING), RUNNING)
    assert "nothing was left behind" in mine.harness("reap", "--all")
    assert running.process.poll() is None
    running.interrupt()
    assert running.ends(30) == 2
    assert mine.settled() == []


def test_nothing_is_left_of_a_kill_9_during_a_build(mine: Commands, unbuildable: Path) -> None:
    running = mine.start(*UP)
    running.when("building memcached")
    wait_for_build(sleeps=True)
    os.kill(running.process.pid, 9)
    running.ends(30)
    wait_for_build(sleeps=False)
    mine.environment.pop("PYTHONPATH")
    mine.harness("reap")
    assert mine.settled() == []
