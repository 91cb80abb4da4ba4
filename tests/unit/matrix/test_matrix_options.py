"""Options of `placement-harness matrix`: the list of cells, and what is refused."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.matrix import Said, everything, folder_of_results, run_of, seen

_everything = pytest.fixture(autouse=True)(everything)
_folder = pytest.fixture(name="folder")(folder_of_results)
_run = pytest.fixture(name="run")(run_of)
ROOT = Path(__file__).parents[3]
TWO = ("--database", "mariadb,galera")


def test_list_runs_nothing(run: Callable[..., Said], tmp_path: Path, folder: Path) -> None:
    said = run("--list", *TWO)
    assert said.code == 0
    assert said.out == (
        "mariadb-env-3  --replicas 3 --database mariadb --config-source env\n"
        "galera-env-3   --replicas 3 --database galera --config-source env\n"
    )
    assert seen(tmp_path) == []
    assert not folder.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--cells", "smok"], "--cells smok: there is no such set of cells*Did you mean smoke?"),
        (["--database", "x"], "--database x: there is no such database."),
        (["--only", "nothing"], "--only nothing is found in no cell's name."),
        (["--list", "--zuul"], "--list and --zuul make no sense together. Give one of them."),
        (["-n", "x"], "-n x makes no sense. Give a number, or auto."),
        (["-n", "0"], "-n 0 makes no sense. Give a number, or auto."),
        (["smoke"], "smoke would be a file for pytest. Did you mean --cells smoke?"),
        (["--", "--junit-xml=x"], "--junit-xml=x is the matrix's own: it writes one for each"),
    ],
)
def test_a_bad_option_is_refused_before_anything_is_run(
    run: Callable[..., Said], tmp_path: Path, folder: Path, words: list[str], message: str
) -> None:
    said = run(*words)
    assert said.code == 64
    for part in message.split("*"):
        assert part in said.err
    assert seen(tmp_path) == []
    assert not folder.exists()


@pytest.mark.parametrize("seconds", ["0", "-1", "x"])
def test_a_time_that_cannot_be_is_refused(run: Callable[..., Said], seconds: str) -> None:
    assert run("--timeout", seconds).code == 64


def test_a_directory_that_cannot_be_written_is_refused(
    run: Callable[..., Said], tmp_path: Path, folder: Path
) -> None:
    folder.touch()
    said = run("--database", "galera")
    assert said.code == 64
    assert f"--output {folder} cannot be written: File exists." in said.err
    assert "Name a directory that you may write to." in said.err
    assert seen(tmp_path) == []


def test_without_junitparser_nothing_is_run(
    run: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "junitparser", None)
    monkeypatch.delitem(sys.modules, "harness.report.junit", raising=False)
    import harness.report

    monkeypatch.delattr(harness.report, "junit", raising=False)
    said = run("--database", "galera")
    assert said.code == 70
    assert "pip install 'placement-harness[matrix]'" in said.err
    assert seen(tmp_path) == []
