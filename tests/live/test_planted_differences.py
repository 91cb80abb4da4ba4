"""Planted differences: each is found on a real stack, at its place, and none where none is."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live import _broken, _planted
from tests.live._live import Commands, docker, own
from tests.live._planted import HOOK, PLANT, PLANTS, Plant

SMOKE = ("a number as a string", "the proxy drops a header", "one replica's status")
PYTHON = "/opt/placement/bin/python"
REPLICAS = ("1", "2", "3")
LANES = "/run/lanes.conf"


class Garden:
    """A stack of three replicas in which differences are planted, and what it answers without."""

    def __init__(self, commands: Commands, folder: Path) -> None:
        self._commands = commands
        self._suite = str(commands.suite(_planted.SUITE, "planted.yaml"))
        self._sound = _broken.checkout(folder / "sound")
        _edit(self._sound, (HOOK,))
        self.tree = folder / "checkout"
        shutil.copytree(self._sound, self.tree)
        self._recording = folder / "sound.jsonl"
        # The image of a checkout is built, which takes longer than a run.
        words = ["placement-harness", "up", "--placement", str(self.tree), "--replicas", "3"]
        commands.run(*words, timeout=900)
        self._run("--record", str(self._recording))
        self._lanes = docker("exec", self._container("apache-1"), "cat", LANES)

    def _run(self, *words: str, code: int = 0) -> dict[str, Any] | None:
        report = self._commands.folder / "run.json"
        report.unlink(missing_ok=True)
        where = ("--stack", "reuse", "--placement", str(self.tree), "--replicas", "3")
        self._commands.pytest(*where, "--run-report", str(report), *words, self._suite, code=code)
        parity: dict[str, Any] | None = json.loads(report.read_text())["parity"]
        return parity

    def compare(self, *, is_same: bool) -> dict[str, Any]:
        parity = self._run("--parity", str(self._recording), code=0 if is_same else 1)
        assert parity is not None
        return parity

    def plant(self, plant: Plant) -> None:
        if plant.edits:
            _edit(self.tree, plant.edits)
        if plant.code:
            for number in [plant.replica] if plant.replica else REPLICAS:
                self._write(self._container(f"placement-{number}"), plant.code)
        if plant.proxy:
            self._configure(f"{self._lanes}{plant.proxy}\n")

    def weed(self, plant: Plant) -> None:
        if plant.edits:
            shutil.rmtree(self.tree / "placement")
            shutil.copytree(self._sound / "placement", self.tree / "placement")
        if plant.code:
            for number in [plant.replica] if plant.replica else REPLICAS:
                name = self._container(f"placement-{number}")
                docker("exec", name, PYTHON, "-c", f"import os; os.remove('{PLANT}')")
        if plant.proxy:
            self._configure(self._lanes)

    def _container(self, name: str) -> str:
        return f"{self._commands.name}-{name}"

    def _write(self, container: str, code: str) -> None:
        program = f"import sys; open('{PLANT}', 'w').write(sys.stdin.read())"
        _docker(["exec", "-i", container, PYTHON, "-c", program], code)

    def _configure(self, text: str) -> None:
        apache = self._container("apache-1")
        _docker(["exec", "-i", apache, "sh", "-c", f"cat > {LANES}"], text)
        _docker(["exec", apache, "apache2", "-f", "/etc/httpd.conf", "-t"], "")
        docker("kill", "--signal", "USR1", apache)


def _docker(words: list[str], text: str) -> None:
    done = subprocess.run(
        ["docker", *words], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def _edit(tree: Path, edits: tuple[_planted.Edit, ...]) -> None:
    for name, old, new in edits:
        path = tree / "placement" / name
        text = path.read_text()
        assert text.count(old) == 1, f"{name} has {text.count(old)} x {old!r}"
        path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def garden(folder: Path) -> Iterator[Garden]:
    with own(folder / "planted") as commands:
        yield Garden(commands, commands.folder)


@pytest.mark.parametrize(
    "plant",
    [
        pytest.param(one, id=one.name, marks=() if one.name in SMOKE else pytest.mark.long)
        for one in PLANTS
    ],
)
def test_a_planted_difference_is_found_at_its_place(garden: Garden, plant: Plant) -> None:
    garden.plant(plant)
    try:
        parity = garden.compare(is_same=False)
    finally:
        garden.weed(plant)
    if plant.is_overused:
        assert [rule["place"] for rule in parity["overused"]] == [plant.place]
        assert parity["causes"] == []
        return
    assert plant.misses(parity["causes"]) == ""
    if plant.replica:
        examples = [example for cause in parity["causes"] for example in cause["examples"]]
        assert {example["replica"] for example in examples} == {plant.replica}


def test_none_is_found_where_none_is_planted(garden: Garden) -> None:
    parity = garden.compare(is_same=True)
    assert parity["causes"] == parity["expected"] == []
    assert parity["exchanges"] == parity["tests"]["same"] > 40


def test_there_are_forty_and_more_of_them() -> None:
    assert len({plant.name for plant in PLANTS}) == len(PLANTS) >= 40
