"""The matrix with one small cell: what is measured, and that nothing is left."""

import json
from xml.etree import ElementTree

from _live import Commands

SUITE = """
defaults:
  request_headers:
    x-auth-token: $ENVIRON['SERVICE_TOKEN']

tests:
- name: the root answers
  GET: /
  status: 200
- name: a list that needs a token
  GET: /resource_providers
  status: 200
"""


def test_one_cell_is_run_measured_and_removed(commands: Commands) -> None:
    suite = commands.suite(SUITE)
    said = commands.harness(
        *("matrix", "--database", "mariadb", "--replicas", "2", "--suite", str(suite)),
        *("--output", "results", "--", "-p", "no:cacheprovider"),
    )
    assert "[1/1] mariadb-env-2: starting placement-harness-" in said
    assert "[1/1] mariadb-env-2: passed, 2 passed in" in said
    results = commands.folder / "results"
    (cell,) = json.loads((results / "matrix.json").read_text())["cells"]
    assert cell["tests"]["passed"] == 2
    assert 0 < cell["seconds"]["start_up"] < cell["seconds"]["wall"]
    memory = {one["service"]: one["used"] for one in cell["memory"]}
    assert memory.keys() == {
        *("apache", "keystone", "mariadb", "memcached", "placement-1", "placement-2")
    }
    # An interpreter with placement loaded, in every replica.
    assert all(30 << 20 < memory[f"placement-{number}"] < 300 << 20 for number in (1, 2))
    assert ElementTree.parse(results / "junit.xml").getroot().attrib["tests"] == "2"
    assert commands.settled() == []


def test_ctrl_c_removes_the_stack_of_the_cell_that_runs(commands: Commands) -> None:
    suite = commands.suite(SUITE)
    words = ("placement-harness", "matrix", "--database", "mariadb", "--suite", str(suite))
    running = commands.start(*words, "--output", "results")
    running.when("starting placement-harness-")
    running.interrupt()
    assert running.ends() == 130, running.text
    assert "interrupted; nothing is left behind" in running.text
    assert commands.settled() == []
