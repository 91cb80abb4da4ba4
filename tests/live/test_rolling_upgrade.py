"""Another placement, replica by replica, while requests flow."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.live import _broken
from tests.live._live import Commands, docker
from tests.live._traffic import none_failed, traffic

ASK = "from importlib.metadata import version; print(version('openstack-placement'))"
TURNS = """
tests:
- {name: one, GET: "$ENVIRON['PLACEMENT_SERVICE']/"}
- {name: two, GET: "$ENVIRON['PLACEMENT_SERVICE']/"}
- {name: three, GET: "$ENVIRON['PLACEMENT_SERVICE']/"}
"""


def versions(commands: Commands) -> list[str]:
    """The version of placement in each replica."""
    return [
        docker("exec", f"{commands.name}-placement-{number}", "python3", "-c", ASK).strip()
        for number in commands.stack().replicas
    ]


@pytest.mark.long
def test_no_request_fails_while_replicas_are_upgraded(commands: Commands) -> None:
    commands.harness("up", "--replicas", "3", "--placement", "15.0.0")
    assert versions(commands) == ["15.0.0"] * 3
    with traffic(commands) as clients:
        begin = time.monotonic()
        said = commands.harness("upgrade", "--to", "16.0.0")
        print(f"upgrade: {time.monotonic() - begin:.1f} s")
    assert "migrating the schema" in said
    assert "replica 2: 15.0.0 -> 16.0.0" in said
    assert versions(commands) == ["16.0.0"] * 3
    none_failed(commands, clients, least=100)
    # Nothing is left to do the second time.
    assert "replica 1" not in commands.harness("upgrade", "--to", "16.0.0")
    commands.harness("scale", "4")
    assert versions(commands) == ["16.0.0"] * 4


def test_no_request_fails_in_an_upgrade_that_goes_on_after_it_was_broken_off(
    commands: Commands,
) -> None:
    commands.harness("up", "--replicas", "3", "--placement", "15.0.0")
    assert versions(commands) == ["15.0.0"] * 3
    running = commands.start("placement-harness", "upgrade", "--to", "16.0.0")
    running.when("replica 1 serves")
    running.interrupt()
    assert running.ends(60) == 130, running.text
    assert "migrating the schema" in running.text
    assert "the next upgrade goes on from there" in running.text
    mixed = versions(commands)
    assert (mixed[0], mixed[2]) == ("16.0.0", "15.0.0")
    # A mixed stack serves, and is not started anew.
    printed = commands.pytest("--stack", "reuse", str(commands.suite(TURNS)))
    assert "runs already: 3 replicas" in printed
    assert "anew" not in printed
    with traffic(commands) as clients:
        printed = commands.harness("upgrade", "--to", "16.0.0")
    assert "replica 1" not in printed
    assert "replica 3: 15.0.0 -> 16.0.0" in printed
    none_failed(commands, clients, least=50)
    assert versions(commands) == ["16.0.0"] * 3
    printed = commands.pytest("--stack", "reuse", str(commands.suite(TURNS)))
    assert "runs already: 3 replicas" in printed
    # A further replica has the new version.
    commands.harness("scale", "4")
    assert versions(commands) == ["16.0.0"] * 4


@pytest.mark.long
def test_replicas_of_two_versions_take_turns_on_one_database(commands: Commands) -> None:
    mixed = ("--placement", "15.0.0", "--placement", "16.0.0")
    commands.harness("up", "--replicas", "3", *mixed)
    assert versions(commands) == ["15.0.0", "16.0.0", "15.0.0"]
    said = commands.pytest("--stack", "reuse", *mixed, str(commands.suite(TURNS)))
    assert "placement 15.0.0" in said
    assert "16.0.0" in said


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The locked release, as a directory with sources to be edited."""
    return _broken.checkout(tmp_path / "checkout")


@pytest.mark.parametrize(
    "workers", [(), pytest.param(("-n2",), marks=pytest.mark.long)], ids=["one", "lanes"]
)
def test_an_edit_is_taken_up_without_a_build_and_what_does_not_import_is_shown(
    commands: Commands, checkout: Path, workers: tuple[str, ...]
) -> None:
    suite = commands.suite("""
tests:
- name: the edited answer
  GET: $ENVIRON['PLACEMENT_SERVICE']/
  response_headers: {x-edited: "yes"}
""")
    kept = ("--stack", "reuse", "--replicas", "2", *workers)
    words = ("--placement", str(checkout), *kept, str(suite))
    commands.pytest(*words, code=1)
    root = checkout / "placement/handlers/root.py"
    before = root.read_text()
    answer = "    return req.response\n"
    edited = before.replace(answer, f"    req.response.headers['x-edited'] = 'yes'\n{answer}")
    assert edited != before
    root.write_text(edited)
    begin = time.monotonic()
    said = commands.pytest(*words)
    print(f"an edit: {time.monotonic() - begin:.1f} s")
    assert "placement/handlers/root.py changed" in said
    assert "building" not in said
    root.write_text("import no_such_module\n")
    begin = time.monotonic()
    said = commands.pytest(*words, code=70)
    print(f"code that does not import: {time.monotonic() - begin:.1f} s")
    assert "ModuleNotFoundError: No module named 'no_such_module'" in said
    assert "replica " in said.partition("ERROR: ")[2]
    # Again: the replicas are down by now, and still it is said at once.
    assert "No module named 'no_such_module'" in commands.pytest(*words, code=70)
    root.write_text(edited)
    commands.pytest(*words)
