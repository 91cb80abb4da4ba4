"""What the Makefile would do, on machines with and without an engine."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ("awk", "bash", "python3")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH with what make needs, and no docker."""
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (tmp_path / tool).symlink_to(found)
    return tmp_path


def make(path: Path, *arguments: str) -> str:
    command = [shutil.which("make") or "make", "--no-print-directory", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": str(path)}, text=True, check=True, capture_output=True
    )
    return done.stdout


def test_plain_make_lists_every_target_that_has_a_description(path: Path) -> None:
    described = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    listed = re.findall(r"^make (\w+) ", make(path), re.MULTILINE)
    assert listed == described
    assert {"run", "test", "setup", "images", "lint", "lock", "bench", "clean"} <= set(listed)


def test_the_main_job_runs_on_three_replicas_and_gets_the_arguments(path: Path) -> None:
    (path / "docker").symlink_to("/bin/true")
    plan = make(path, "--dry-run", "run", "ARGS=-n 2 -k 'a or b'")
    assert "/placement-harness setup\n" in plan
    assert plan.endswith("/pytest -o placement_replicas=3 -n 2 -k 'a or b'\n")
    assert "NO CONTAINER ENGINE" not in plan


def test_without_an_engine_the_main_job_is_embedded_and_says_so(path: Path) -> None:
    plan = make(path, "--dry-run", "run", "ARGS=-x")
    assert "NO CONTAINER ENGINE HERE" in plan
    assert "apt-get install docker.io" in plan
    assert plan.endswith("/pytest --target embedded -x\n")
    assert "placement-harness setup" not in plan


def test_the_projects_own_tests_run_after_lint_and_wait_for_the_build_of_images(
    path: Path,
) -> None:
    (path / "docker").symlink_to("/bin/true")
    plan = make(path, "--dry-run", "test", "ARGS=-x -k 'a or b'")
    order = ("/ruff check .\n", "/ruff format --check .\n", "/mypy\n", "/pytest tests ")
    assert [plan.find(one) for one in order] == sorted(map(plan.index, order))
    (built,) = re.findall(r"/placement-harness setup --config-source etcd ;.* > (\S+);", plan)
    tests = "tests services/oslo-config-etcd/tests -n 2 --dist loadfile"
    chosen = "-m \"not long\" -x -k 'a or b'"
    command = rf"^HARNESS_IMAGES_BUILT={built} \S+/pytest {tests} {chosen}$"
    assert re.search(command, plan, re.MULTILINE)


def test_the_long_tests_have_the_images_of_every_database(path: Path) -> None:
    (path / "docker").symlink_to("/bin/true")
    plan = make(path, "--dry-run", "test-long")
    for options in ("--config-source etcd", "--database mariadb-10.11", "--database galera"):
        assert f"/placement-harness setup {options}" in plan
    tests = "tests services/oslo-config-etcd/tests -n 2 --dist loadfile"
    assert re.search(rf"/pytest {tests} *$", plan, re.MULTILINE)


def test_an_old_python_is_refused_before_anything_is_made(path: Path, tmp_path: Path) -> None:
    old = tmp_path / "python-old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        make(path, "venv", f"PYTHON={old}", f"VENV={tmp_path}/venv")
    assert "Python 3.11 or newer is needed" in caught.value.stderr
    assert not (tmp_path / "venv").exists()
