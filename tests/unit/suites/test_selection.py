"""What suites need is known before any is collected, however their YAML is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.suites import selection
from harness.upstream import fixture_data

TESTS = "tests: [{name: one, GET: /, desc: it has fixtures}]\n"


@pytest.mark.parametrize(
    "head",
    [
        "fixtures: [CORSFixture, APIFixture]",
        "fixtures: [CORSFixture, APIFixture]  # two of them",
        "fixtures:\n- CORSFixture\n- APIFixture",
        "fixtures:\n  - CORSFixture\n  # and\n\n  - APIFixture # too",
        "fixtures:  # two of them\n- CORSFixture\n- APIFixture",
        "fixtures:\n- CORSFixture\n- 'APIFixture'",
        "fixtures:\n- &first CORSFixture\n- APIFixture",
        "fixtures:\n  [CORSFixture,\n   APIFixture]",
        "fixtures: ['CORSFixture', \"APIFixture\"]",
        "'fixtures': [CORSFixture, APIFixture]",
        "fixtures : [CORSFixture, APIFixture]",
        "fixtures: &both [CORSFixture, APIFixture]\ndefaults: {desc: *both}",
        "x: &x {fixtures: [CORSFixture, APIFixture]}\n<<: *x",
        "x: &x {fixtures: [CORSFixture, APIFixture]}\n<<: [*x]",
    ],
)
def test_fixtures_are_found_however_they_are_written(tmp_path: Path, head: str) -> None:
    suite = tmp_path / "one.yaml"
    suite.write_text(f"---\n{head}\n\n{TESTS}")
    found = {one.name for one in selection.fixtures([suite])}
    assert found == {"CORSFixture", "APIFixture"}


def test_a_whole_suite_in_braces_has_them_too(tmp_path: Path) -> None:
    suite = tmp_path / "one.yaml"
    suite.write_text("{fixtures: [APIFixture], tests: [{name: one, GET: /}]}")
    assert [one.name for one in selection.fixtures([suite])] == ["APIFixture"]


@pytest.mark.parametrize("text", [TESTS, "", "fixtures: [", "fixtures: APIFixture\n", "[fixtures]"])
def test_a_suite_without_them_needs_nothing(tmp_path: Path, text: str) -> None:
    suite = tmp_path / "one.yaml"
    suite.write_text(text)
    assert selection.fixtures([suite]) == set()


def test_fixtures_of_placements_own_suites_are_found() -> None:
    paths = sorted(fixture_data.installed_suites().glob("*.yaml"))
    expected = {
        fixture_data.Fixture(fixture_data.installed_suites().parent / "fixtures/gabbits.py", name)
        for path in paths
        for name in yaml.safe_load(path.read_text()).get("fixtures") or ()
    }
    assert selection.fixtures(paths) == expected
