"""The matrix with one small cell: what is measured, and that nothing is left."""

import json
from xml.etree import ElementTree

from tests.live._live import Commands

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


def test_a_cell_of_each_kind_is_green(commands: Commands) -> None:
    """A database, a source and a placement that are not the usual ones, each with real suites."""
    words = ("matrix", "--cells", "smoke", "--", "-p", "no:cacheprovider", "-k", "basic-http")
    # An image that has not been built before takes a minute.
    said = commands.run("placement-harness", *words, timeout=900)
    cells = json.loads((commands.folder / "placement-matrix/matrix.json").read_text())["cells"]
    assert [cell["verdict"] for cell in cells] == ["passed"] * 3, said
    assert {cell["database"] for cell in cells} == {"galera", "mariadb"}
    assert {cell["config_source"] for cell in cells} == {"env", "etcd"}
    assert ["15.0.0", "16.0.0"] in [cell["placement"] for cell in cells]
    assert all(cell["tests"]["passed"] > 20 for cell in cells)
    assert commands.settled() == []


def test_ctrl_c_removes_the_stack_of_the_cell_that_runs(commands: Commands) -> None:
    suite = commands.suite(SUITE)
    words = ("placement-harness", "matrix", "--database", "mariadb", "--suite", str(suite))
    running = commands.start(*words, "--output", "results")
    running.when("starting placement-harness-")
    running.interrupt()
    assert running.ends() == 130, running.text
    assert "interrupted; the work is undone or finished" in running.text
    assert commands.settled() == []
