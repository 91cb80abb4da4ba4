"""The wheel: it holds all that a stack needs, and works where there is no checkout."""

from __future__ import annotations

import email
import json
import os
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from harness.core.paths import ROOT
from harness.stack.images.catalogue import IMAGES
from harness.stack.images.contents import contents_of

INSIDE = "harness/_project/"
NO_PART = {"tests", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
UV = Path(sys.executable).with_name("uv")
INSTALLERS = {
    "uv": [str(UV), "pip", "install", "--offline", "--quiet", "--link-mode=copy"],
    "pip": [sys.executable, "-m", "pip", "install", "--quiet", "--no-cache-dir"],
}
SUITE = """
tests:
- name: versions
  GET: /
  response_json_paths: {"$.versions[0].id": v1.0}
"""


def run(*words: str, folder: Path, code: int = 0, **environment: str) -> str:
    """Run a command to its end, and give what it wrote."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OS_", "PLACEMENT_", "PYTEST_")) and name != "PYTHONPATH"
    }
    done = subprocess.run(
        words,
        cwd=folder,
        env={**kept, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def build(kind: str, folder: Path, checkout: Path = ROOT) -> Path:
    run(
        *(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)),
        folder=checkout,
    )
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


def install(wheel: Path, installer: str, folder: Path) -> Path:
    """A directory with the wheel alone; what it depends on is the environment's."""
    words = [*INSTALLERS[installer], "--no-deps", f"--target={folder}", str(wheel)]
    run(*words, folder=wheel.parent)
    return folder


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(wheel, "uv", tmp_path_factory.mktemp("installed"))


def entries(archive: Path) -> dict[str, tuple[int, int]]:
    """Name -> CRC and permissions of each file."""
    with zipfile.ZipFile(archive) as files:
        return {
            one.filename: (one.CRC, one.external_attr >> 16 & 0o777) for one in files.infolist()
        }


def of_the_stack() -> Iterator[Path]:
    """The files at the root of the checkout that a stack can need."""
    yield from (ROOT / "compose.yaml", ROOT / "requirements" / "compose.txt")
    for folder in ("gabbits", "services"):
        for path in (ROOT / folder).rglob("*"):
            parts = path.relative_to(ROOT).parts
            if path.is_file() and not NO_PART & {*parts} and ".egg-info" not in str(path):
                yield path


def test_it_holds_all_files_of_a_stack_and_the_suites(wheel: Path) -> None:
    expected = {f"{INSIDE}{path.relative_to(ROOT).as_posix()}": path for path in of_the_stack()}
    held = {name: entry for name, entry in entries(wheel).items() if name.startswith(INSIDE)}
    assert held.keys() == expected.keys()
    for name, path in expected.items():
        assert held[name][1] == (0o755 if path.stat().st_mode & 0o100 else 0o644), name
        assert held[name][0] == zlib.crc32(path.read_bytes()), name
    assert f"{INSIDE}services/oslo-config-etcd/.dockerignore" in held


def test_it_holds_no_tests_and_no_leftovers(wheel: Path) -> None:
    names = [name.split("/") for name in entries(wheel)]
    assert [name for name in names if NO_PART & {*name}] == []
    roots = {name[0] for name in names}
    assert {"harness", f"placement_harness-{version('placement-harness')}.dist-info"} == roots


def test_it_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        (name,) = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(files.read(name))
        (points,) = [name for name in files.namelist() if name.endswith("entry_points.txt")]
        assert "placement-harness = harness.cli:main" in files.read(points).decode()
    assert metadata["Version"] == version("placement-harness")
    assert metadata["Requires-Python"] == ">=3.11"
    extras = {"cloud", "embedded", "matrix", "tempest", "upstream"}
    assert extras <= {*metadata.get_all("Provides-Extra", [])}


def test_an_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = build("sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    again = build("wheel", tmp_path / "again", unpacked)
    assert entries(again) == entries(wheel)


def test_an_editable_installation_uses_the_files_of_the_checkout(tmp_path: Path) -> None:
    program = (
        "from hatchling.builders.wheel import WheelBuilder; import sys; "
        "print(*WheelBuilder('.').build(directory=sys.argv[1], versions=['editable']))"
    )
    run(sys.executable, "-c", program, str(tmp_path), folder=ROOT)
    (editable,) = tmp_path.iterdir()
    assert [name for name in entries(editable) if name.startswith("harness/")] == []
    assert "placement_harness.pth" in str(entries(editable))


@pytest.mark.parametrize("installer", INSTALLERS)
def test_images_are_those_of_the_checkout(wheel: Path, installer: str, tmp_path: Path) -> None:
    installed = install(wheel, installer, tmp_path / "installed")
    program = (
        "import json; from harness.stack.images.catalogue import IMAGES; "
        "from harness.stack.images.contents import contents_of; "
        "print(json.dumps(contents_of(IMAGES).images))"
    )
    said = run(sys.executable, "-c", program, folder=tmp_path, PYTHONPATH=str(installed))
    assert json.loads(said) == contents_of(IMAGES).images


def test_commands_work_in_an_empty_directory(installed: Path, tmp_path: Path) -> None:
    def harness(*words: str, code: int = 0) -> str:
        program = (sys.executable, "-m", "harness.cli", *words)
        return run(*program, folder=tmp_path, code=code, PYTHONPATH=str(installed))

    assert "mariadb-env" in harness("matrix", "--list")
    assert version("placement-harness") in harness("--version")
    said = harness("tempest", "--url", "http://127.0.0.1:9/placement", code=64)
    assert "There is no directory gabbits here." in said
    assert f"the suites of placement-harness are in {installed / INSIDE / 'gabbits'}" in said
    assert [*tmp_path.iterdir()] == []


def test_pytest_works_in_an_empty_directory(installed: Path, tmp_path: Path) -> None:
    def pytest_(*words: str, code: int = 0) -> str:
        program = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words)
        return run(*program, folder=tmp_path, code=code, PYTHONPATH=str(installed))

    said = pytest_("--replicas", "3", code=4)
    assert f"{tmp_path} has no suites and no Python tests." in said
    assert "--suite gabbits runs the suites of placement-harness." in said
    (tmp_path / "mine.yaml").write_text(SUITE)
    said = pytest_("--target", "embedded", "mine.yaml", "gabbits/root.yaml", "-rA")
    assert "PASSED mine.yaml::versions" in said
    assert "PASSED gabbits/root.yaml::" in said
