"""The files for GitHub Actions and Zuul: YAML, with the same cells as the matrix."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from harness.cli.matrix import matrix
from harness.core.errors import UsageError
from harness.matrix import ci
from harness.matrix.cells import Axes, Cell, chosen
from harness.matrix.runner import Options
from tests.fakes.matrix import everything

_everything = pytest.fixture(autouse=True)(everything)
DOCS = Path(__file__).resolve().parents[3] / "docs"
WRITTEN = "placement-harness matrix --github"


def printed(*words: str) -> str:
    result = CliRunner().invoke(matrix, [*words])
    assert result.exit_code == 0, result.output
    return result.stdout


def cells_of(options: str) -> list[Cell]:
    """The cells for the options in a file."""
    given: dict[str, list[str]] = {}
    words = shlex.split(options)
    for name, value in zip(words[::2], words[1::2], strict=True):
        given.setdefault(name, []).append(value)
    return chosen(
        None,
        Axes(
            given["--database"],
            given["--config-source"],
            given.get("--placement", []),
            given["--replicas"],
        ),
    )


def test_the_workflow_has_a_job_for_each_cell() -> None:
    text = printed("--github", "-n", "2", "--", "-k", "a and b")
    workflow = yaml.safe_load(text)
    # Unquoted, YAML takes the word for a truth.
    assert set(workflow["on"]) == {"push", "pull_request"}
    job = workflow["jobs"]["placement"]
    included = job["strategy"]["matrix"]["include"]
    made = [cells_of(one["options"])[0] for one in included]
    assert made == chosen("all", Axes())
    assert [one["cell"] for one in included] == [cell.name for cell in made]
    assert job["strategy"]["fail-fast"] is False
    run = next(step["run"] for step in job["steps"] if step.get("name") == "run")
    assert run == (
        "placement-harness/.venv/bin/placement-harness matrix --output results $OPTIONS -n 2 -- "
        "-k 'a and b'"
    )


@pytest.mark.parametrize("option", ["--github", "--zuul"])
def test_a_job_and_its_cell_may_take_as_long(option: str) -> None:
    text = printed(option, "--cells", "smoke", "--timeout", "3600", "--", "-x")
    assert ("timeout-minutes: 75\n" if option == "--github" else "timeout: 4500\n") in text
    assert text.count(" --timeout 3600 -- -x") == (1 if option == "--github" else 3)


def test_zuul_has_a_job_for_each_cell_and_a_parent() -> None:
    jobs = yaml.safe_load(printed("--zuul", "--suite", "gabbits"))
    parent, *cells, project = jobs
    assert parent["job"]["abstract"] is True
    assert parent["job"]["timeout"] == 1800 + 900
    names = [one["job"]["name"] for one in cells]
    assert project == {"project": {"check": {"jobs": names}}}
    assert len(names) == len(set(names)) == 11
    assert {one["job"]["parent"] for one in cells} == {parent["job"]["name"]}
    told = [one["job"]["vars"]["placement_matrix_options"] for one in cells]
    assert all(options.endswith(" --suite gabbits") for options in told)
    assert [cells_of(options)[0] for options in told] == chosen("all", Axes())


def test_one_cell_is_enough() -> None:
    workflow = yaml.safe_load(printed("--github", "--only", "etcd"))
    (one,) = workflow["jobs"]["placement"]["strategy"]["matrix"]["include"]
    assert one["cell"] == "mariadb-etcd-3"


@pytest.mark.parametrize("word", ["/my src/placement", "$(id)", "a;b", "${{ x }}"])
def test_what_the_workflows_shell_would_change_is_refused(word: str) -> None:
    cell = Cell("one", placements=(word,))
    with pytest.raises(UsageError, match=r"A workflow cannot have .* in it: its shell would"):
        ci.github([cell], Options(Path(), ("upstream",)), WRITTEN)


def test_zuul_takes_words_with_spaces() -> None:
    cell = Cell("one", placements=("/my src/placement",))
    text = ci.zuul([cell], Options(Path(), ("upstream",)), WRITTEN)
    told = yaml.safe_load(text)[1]["job"]["vars"]["placement_matrix_options"]
    assert cells_of(told)[0].placements == cell.placements


def blocks(name: str) -> list[Any]:
    """The YAML in a page, each block parsed."""
    parts = (DOCS / name).read_text().split("```yaml\n")[1:]
    return [yaml.safe_load(part.partition("```")[0]) for part in parts]


def test_the_page_shows_what_is_printed() -> None:
    page = (DOCS / "ci.md").read_text()
    for option in ("--github", "--zuul"):
        head = f"# Printed by: placement-harness matrix --cells smoke {option} -n 2\n"
        assert head in page
        body = printed("--cells", "smoke", option, "-n", "2").split("\n", 1)[1]
        assert body in page


def test_the_playbook_runs_the_command() -> None:
    (playbook,) = [one for one in blocks("ci.md") if isinstance(one, list) and "hosts" in one[0]]
    (play,) = playbook
    assert any("placement_matrix_options" in str(task) for task in play["tasks"])
    assert play["hosts"] == "all"


def test_the_cells_file_of_the_page_is_one(tmp_path: Path) -> None:
    (block,) = [one for one in blocks("matrix.md") if isinstance(one, list)]
    file = tmp_path / "cells.yaml"
    file.write_text(yaml.safe_dump(block))
    assert chosen(str(file), Axes())
