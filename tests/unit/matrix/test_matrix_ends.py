"""A matrix that is ended early: a cell that takes too long, Ctrl-C, a kill."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core import program
from harness.matrix import runner
from tests.fakes.matrix import Said, everything, fake_pytest, folder_of_results, run_of

_everything = pytest.fixture(autouse=True)(everything)
_folder = pytest.fixture(name="folder")(folder_of_results)
_run = pytest.fixture(name="run")(run_of)
ROOT = Path(__file__).parents[3]
TWO = ("--database", "mariadb,galera")


def test_a_cell_that_takes_too_long_is_ended_and_the_others_run(run: Callable[..., Said]) -> None:
    said = run(*TWO, "--timeout", "1.5", mariadb={"sleeps": 60})
    assert said.code == 70
    first, second = said.json["cells"]
    assert (first["verdict"], first["reason"]) == ("unusable", "not done within 1.5 s")
    assert second["verdict"] == "passed"
    log = (said.folder / "mariadb-env-3/log.txt").read_text()
    assert log.endswith("  removing the stack\n")


def test_one_that_does_not_end_is_killed(
    run: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PATIENCE", 0.1)
    monkeypatch.setattr(program, "PATIENCE", 0.5)
    began = time.monotonic()
    play = {"sleeps": 60, "tidies": 60}
    assert run("--database", "galera", "--timeout", "1", every=play).code == 70
    assert time.monotonic() - began < 40


PROGRAM = """
import sys
from tests.fakes.matrix import everything
import pytest
from harness import cli
from harness.matrix import runner
everything(pytest.MonkeyPatch())
runner.PYTEST = (sys.executable, sys.argv.pop(1))
cli.main(sys.argv[1:])
"""


def started(tmp_path: Path, folder: Path, ready: Path) -> "subprocess.Popen[str]":
    """A matrix of three cells in a process of its own, whose second one runs, and will for long."""
    plays = {"galera-env-3": {"sleeps": 60, "tidies": 0.5, "ready": str(ready)}}
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", PROGRAM, str(tmp_path / "fake_pytest.py"), "matrix"),
            *("--output", str(folder), "--database", "mariadb,galera,galera-multiwriter"),
        ],
        env={**os.environ, "PLAY": json.dumps(plays), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 30
    while not ready.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_with_130_and_the_table_of_what_was_run(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    fake_pytest(tmp_path, monkeypatch)
    ready = tmp_path / "ready"
    process = started(tmp_path, folder, ready)
    try:
        process.send_signal(number)
        time.sleep(0.2)
        # An impatient user.
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, err
    assert "mariadb-env-3" in out
    assert "not run: 1 of 3 cells" in out
    assert "interrupted; the work is undone or finished" in err
    found = json.loads((folder / "matrix.json").read_text())
    assert [cell["verdict"] for cell in found["cells"]] == ["passed", "interrupted"]
    assert found["not_run"] == ["galera-multiwriter-env-3"]
    assert found["exit_code"] == 130
    # It was let to remove its stack.
    assert (folder / "galera-env-3/log.txt").read_text().endswith("  removing the stack\n")


@pytest.mark.skipif(not shutil.which("setpriv"), reason="util-linux has it")
def test_a_cell_does_not_outlive_a_matrix_that_is_killed(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pytest(tmp_path, monkeypatch)
    process = started(tmp_path, folder, tmp_path / "ready")
    process.kill()
    process.communicate(timeout=30)
    log = folder / "galera-env-3/log.txt"
    end = time.monotonic() + 10
    while "removing the stack" not in log.read_text() and time.monotonic() < end:
        time.sleep(0.05)
    assert log.read_text().endswith("  removing the stack\n")
