"""The project's suites under the real tempest, unchanged, on a real stack."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.live._live import ROOT, Commands

GABBITS = ROOT / "gabbits"
FEW = "^(root|traits|usages-total)[.]yaml$"
ALL_KINDS = """
tests:
- name: Wrong
  GET: $ENVIRON['PLACEMENT_SERVICE']/
  status: 201
- name: shown
  verbose: true
  GET: $ENVIRON['PLACEMENT_SERVICE']/resource_classes
  request_headers:
    x-auth-token: $ENVIRON['SERVICE_TOKEN']
  response_strings: ["no such thing"]
- name: expected
  xfail: true
  GET: $ENVIRON['PLACEMENT_SERVICE']/
  status: 201
- name: left out
  skip: for a reason
  GET: $ENVIRON['PLACEMENT_SERVICE']/
- name: right
  GET: $ENVIRON['PLACEMENT_SERVICE']/
"""


def verdicts(report: Path) -> Counter[tuple[str, str, str]]:
    """Suite, test and what became of it, from a JUnit report of either runner."""
    return Counter(
        (
            str(case.get("classname")).split(".")[-2],
            str(case.get("name")),
            next((child.tag for child in case if child.tag != "properties"), "passed"),
        )
        for case in ElementTree.parse(report).iter("testcase")
    )


def left(up: Commands) -> list[str]:
    """Leftovers of tempest: its directories, and processes that name one."""
    found = [str(path) for path in (up.state / up.name).glob("tempest-*")]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if f"{up.state}/{up.name}/tempest-".encode() in told:
            found.append(process.name)
    return found


def same_under_both(up: Commands, suites: list[Path], *regex: str) -> Counter[str]:
    """Run suites under tempest and under pytest; how often each verdict was given."""
    theirs, ours = up.folder / "tempest.xml", up.folder / "pytest.xml"
    said = up.run(
        *("placement-harness", "tempest", str(GABBITS), *regex, "--junit-xml", str(theirs)),
        timeout=400,
    )
    words = ["--stack", "reuse", "--replicas", "3", "--junit-xml", str(ours), *map(str, suites)]
    up.pytest(*words)
    assert verdicts(theirs) == verdicts(ours)
    given = Counter(verdict for _, _, verdict in verdicts(theirs).elements())
    # Suites of other releases are left out.
    asked = {suite for suite, _, _ in verdicts(theirs)}
    assert f"{given['passed']} passed in {len(asked)} suites" in said
    assert left(up) == []
    return given


def test_a_few_suites_have_the_same_verdicts_under_both_runners(up: Commands) -> None:
    suites = [path for path in sorted(GABBITS.glob("*.yaml")) if re.search(FEW, path.name)]
    assert len(suites) == 3
    given = same_under_both(up, suites, "--regex", FEW)
    assert set(given) == {"passed"}


@pytest.mark.long
def test_all_suites_have_the_same_verdicts_under_both_runners(up: Commands) -> None:
    given = same_under_both(up, sorted(GABBITS.glob("*.yaml")))
    assert set(given) == {"passed"}
    assert given["passed"] >= 1620


def test_each_verdict_is_told_and_no_secret_is(up: Commands) -> None:
    folder = up.suite(ALL_KINDS, "kinds/all.yaml").parent
    report = up.folder / "kinds.xml"
    said = up.harness("tempest", str(folder), "--junit-xml", str(report), code=1)
    assert "FAILED kinds/all.yaml::Wrong\n  '200' not found in ['201'], response:" in said
    assert "2 failed, 1 passed, 1 skipped, 1 xfailed in 1 suite" in said
    # Skipped ones ask nothing.
    assert re.search(r"^requests  4: replica 1 \d, replica 2 \d, replica 3 \d$", said, re.MULTILINE)
    # Each failed test shows the lines of its request alone.
    for path in ("/placement/", "/placement/resource_classes"):
        assert re.search(rf'log of replica \d:\n  .* \[None req-.*"GET {path}', said)
        assert re.search(rf'log of apache:\n  .* replica=\d req-.* "GET {path} ', said)
    assert Counter(verdict for _, _, verdict in verdicts(report).elements()) == {
        "failure": 2,
        "passed": 1,
        "skipped": 2,
    }
    ours = up.folder / "kinds-pytest.xml"
    words = ["--stack", "reuse", "--replicas", "3", "--junit-xml", str(ours)]
    up.pytest(*words, str(folder / "all.yaml"), code=1)
    assert verdicts(report) == verdicts(ours)
    stack = up.stack()
    for text in (said, report.read_text()):
        assert "gAAAA" not in text
        assert not [one for one in stack.state.secrets().environment().values() if one in text]
    assert left(up) == []


def test_a_url_and_os_variables_do_as_well_as_a_stack(up: Commands) -> None:
    stack = up.stack()
    credentials = {
        "OS_AUTH_URL": stack.identity_url,
        "OS_USERNAME": "admin",
        "OS_PASSWORD": stack.state.secrets().admin_password,
        "OS_PROJECT_NAME": "admin",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_ID": "default",
    }
    up.environment.update(credentials)
    try:
        words = ("tempest", str(GABBITS), "--regex", "^root[.]")
        assert "6 passed in 1 suite" in up.harness(*words, "--url", stack.placement_url)
        said = up.harness(*words, "--url", "http://127.0.0.1:1/placement", code=70)
        assert f"has placement: {stack.placement_url}." in said
    finally:
        for name in credentials:
            del up.environment[name]


def test_ctrl_c_leaves_nothing_and_the_stack_free(up: Commands) -> None:
    # gabbi prepares each test for 20 ms before the first request of all.
    suites = "^(resource-classes|traits|resource-provider)[.]"
    running = up.start("placement-harness", "tempest", str(GABBITS), "--regex", suites)
    running.when(".yaml: ")
    assert left(up) != []
    running.interrupt()
    assert running.ends(30) == 130
    assert left(up) == []
    assert "1 suite " in up.harness("tempest", str(GABBITS), "--regex", "^traits[.]")
