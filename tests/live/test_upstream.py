"""placement's own suites on a real stack: lanes, profiles, real users, and what differs.

The default run takes some suites of each kind; all of them are for ``make test-long``.
"""

import os
import random
import re
import signal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.live._live import Commands, docker, long

TESTS = 1316
# Suites of each profile, each kind of user and each kind of seed, and both declared differences.
SOME = (
    *("basic-http", "with-allocations", "usage-secure-rbac", "aggregate-legacy-rbac"),
    *("aggregate-policy", "cors", "non-cors", "granular", "allocation-candidates-member-of"),
    *("confirm-auth", "resource-classes", "traits"),
)
SHUFFLE = """
import os, random

def pytest_collection_modifyitems(items):
    files = {item.nodeid.partition("::")[0]: 0 for item in items}
    chance = random.Random(int(os.environ["SEED"]))
    order = {file: chance.random() for file in files}
    items.sort(key=lambda item: order[item.nodeid.partition("::")[0]])
"""


def some(*names: str) -> list[str]:
    return [f"upstream/{name}.yaml" for name in names or SOME]


def verdicts(path: Path) -> dict[str, str]:
    """The outcome of each test, by suite and name."""
    return {
        f"{case.get('classname')}::{case.get('name')}": next(
            (child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed"
        )
        for case in ElementTree.parse(path).iter("testcase")
    }


def test_some_of_each_kind_pass_in_two_lanes_in_any_order_and_twice(commands: Commands) -> None:
    (commands.folder / "shuffle.py").write_text(SHUFFLE)
    commands.environment["PYTHONPATH"] = str(commands.folder)
    found = []
    for turn, seed in enumerate(random.sample(range(1000), 2)):
        commands.environment["SEED"] = str(seed)
        words = ["--stack", "reuse", "-n2", "-p", "shuffle", f"--junit-xml={turn}.xml"]
        said = commands.pytest("--replicas", "2", *words, *some())
        assert "profile cors, legacy-rbac, open-policy, secure-rbac" in said
        # Every replica of every lane has answered.
        counts = dict(re.findall(r"replica ([\w-]+) (\d+)", said))
        assert set(counts) == {"1", "2", "2-1", "2-2", "cors-1"}, seed
        assert all(int(count) for count in counts.values()), seed
        found.append(verdicts(commands.folder / f"{turn}.xml"))
    # Each is restarted in all lanes, one after the other.
    assert "restarted 2 replicas" in commands.harness("restart", "--rolling")
    said = commands.pytest("--replicas", "2", "--stack", "reuse", "-n2", *some("traits", "cors"))
    assert "runs already" in said
    assert len(found[0]) > 200
    assert set(found[0].values()) == {"passed"}
    assert found[0] == found[1]


def test_what_goes_over_the_wire_is_what_a_real_user_would_send(commands: Commands) -> None:
    """Tokens of keystone's, and none of the headers that only noauth2 knows."""
    suite = commands.suite(
        """
fixtures: [SecureRBACPolicyFixture]
tests:
- name: shows itself
  GET: /resource_providers
  request_headers: {x-auth-token: user, x-roles: "member,reader", x-project-id: some}
  status: 200
- name: shows itself in the system
  GET: /resource_providers
  request_headers: {x-auth-token: user, x-roles: reader, openstack-system-scope: all}
  status: 404
"""
    )
    said = commands.pytest("--replicas", "1", str(suite), code=1)
    # A run without a suite for CORS has no replica for CORS.
    assert "profile secure-rbac," in said
    assert "replica cors-1" not in said
    requests = [part.partition(" response ")[0] for part in said.split(" request -")[1:]]
    assert len(requests) == 2
    for request in requests:
        assert "x-auth-token: (hidden)" in request
        assert not re.search("x-roles|x-project-id|system-scope", request)
    # placement saw the user of the test: the log line has the ids that keystone gave.
    assert "status 403, expected 200" in said


@pytest.mark.parametrize("source", ["file", long("etcd")])
def test_lanes_have_settings_of_their_own_from_each_source(commands: Commands, source: str) -> None:
    words = ["--config-source", source, "-n2", *some("cors", "non-cors", "traits", "basic-http")]
    said = commands.pytest("--replicas", "1", *words)
    counts = dict(re.findall(r"replica ([\w-]+) (\d+)", said))
    assert set(counts) == {"1", "2-1", "cors-1"}


def test_a_worker_that_dies_takes_only_its_own_file_with_it(commands: Commands) -> None:
    """The one that takes its place has its lane."""
    words = [*commands.pytest_words("--replicas", "1", "-n2", "-v"), *some()]
    running = commands.start(*words)
    running.when("PASSED upstream/")
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
    workers = [
        int(child)
        for child in children.read_text().split()
        # How execnet starts an interpreter.
        if b"exec(eval(" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    os.kill(workers[0], signal.SIGKILL)
    assert running.ends() == 1
    # The one that it was at, once; those after it in its file have not been run.
    (failed,) = lines(running.text, "FAILED")
    assert "crashed while running" in running.text
    lost = {line.split()[1].partition("::")[0] for line in lines(running.text, "ERROR")}
    assert lost <= {failed.split()[1].partition("::")[0]}


def lines(text: str, start: str) -> list[str]:
    summary = text.partition("short test summary info")[2]
    return [line for line in summary.splitlines() if line.startswith(start)]


@pytest.mark.long
@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_all_of_them_pass_twice_on_one_stack(commands: Commands, workers: tuple[str, ...]) -> None:
    for _ in range(2):
        said = commands.pytest(
            "--replicas", "3", "--stack", "reuse", "--suite", "upstream", *workers
        )
        assert f"{TESTS} passed" in said
    # The stack is as it was: what suites have left is gone with the next one's beginning.
    assert docker("ps", "--filter", f"name={commands.name}", "--format", "{{.Names}}")
