"""Fakes for tests of the matrix: all databases and sources, and a program in pytest's place."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli import program
from harness.matrix import cells, runner
from harness.stack.settings.config_sources import Source
from harness.stack.settings.databases import Database

# Does what the variable PLAY says of its cell: {"": {...}} is for all others.
FAKE = """
import json, os, pathlib, signal, sys, time
arguments = sys.argv[1:]
value = {word: arguments[number + 1] for number, word in enumerate(arguments[:-1])}
named = dict(word.split("=", 1) for word in arguments if word.startswith("--") and "=" in word)
junit, run = pathlib.Path(named["--junit-xml"]), pathlib.Path(named["--run-report"])
name = junit.parent.name
plays = json.loads(os.environ["PLAY"])
play = {**plays.get("", {}), **plays.get(name, {})}
with open(os.environ["SEEN"], "a") as seen:
    seen.write(json.dumps([name, arguments]) + "\\n")

def terminated(number, frame):
    time.sleep(play.get("tidies", 0))
    print("  removing the stack", flush=True)
    sys.exit(2)

signal.signal(signal.SIGTERM, terminated)
print("  starting a-stack: 3 replicas")
print("  ready after 5.5 s")
print("target: placement 16.0.0")
if "says" in play:
    print(play["says"])
passed, failed, code = play.get("passed", 2), play.get("failed", 0), play.get("code", 0)
print("gabbits/a.yaml ..  [ 50%]", flush=True)
if play.get("ready"):
    pathlib.Path(play["ready"]).touch()
time.sleep(play.get("sleeps", 0))
if play.get("report", True):
    junit.write_text(
        '<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="2">'
        '<testcase classname="gabbits.a.yaml" name="one" time="0.1"/>'
        '<testcase classname="gabbits.a.yaml" name="two" time="0.1">'
        + ('<failure message="no">because</failure>' if failed else "")
        + '</testcase></testsuite></testsuites>'
    )
    tests = {"passed": passed, "failed": failed, "errors": 0}
    memory = [["apache", 12], ["placement-1", 78], ["placement-2", 80], ["galera-1", 200],
              ["galera-2", 210], ["haproxy", 10], ["keystone", 95]]
    run.write_text(json.dumps({
        "tests": tests, "exit_code": code, "error": play.get("error"),
        "unproven": play.get("unproven"),
        "requests": {"total": 2}, "latency_ms": None,
        "seconds": {"total": 9.0, "start_up": 5.46},
        "settings": [{"name": "placement", "value": "16.0.0", "source": ""}],
        "memory": [{"service": service, "container": "x", "used": mib * 2**20, "most": None}
                   for service, mib in memory],
    }))
sys.exit(code)
"""


def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """All databases and sources that there are to be."""
    names = ("mariadb", "mariadb-10.11", "galera", "galera-multiwriter")
    monkeypatch.setattr(cells, "DATABASES", {name: Database(name, name) for name in names})
    sources = {name: Source(name, name) for name in ("env", "file", "etcd")}
    monkeypatch.setattr(cells, "SOURCES", sources)


def fake_pytest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "fake_pytest.py"
    program.write_text(FAKE)
    monkeypatch.setattr(runner, "PYTEST", (sys.executable, str(program)))
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    monkeypatch.setenv("PLAY", "{}")
    monkeypatch.setattr(runner, "GLANCE", 0.02)
    for name in list(os.environ):
        if name.startswith("PLACEMENT_HARNESS_"):
            monkeypatch.delenv(name)


class Said:
    def __init__(self, code: object, out: str, err: str, folder: Path) -> None:
        self.code, self.out, self.err, self.folder = code, out, err, folder

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "matrix.json").read_text())
        return found


def folder_of_results(tmp_path: Path) -> Path:
    return tmp_path / "results"


def run_of(
    tmp_path: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Callable[..., Said]]:
    fake_pytest(tmp_path, monkeypatch)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def run(*words: str, **plays: object) -> Said:
        """Cells by their databases: ``galera={...}`` is for the cell galera-env-3."""
        told = {f"{name}-env-3" if name != "every" else "": play for name, play in plays.items()}
        monkeypatch.setenv("PLAY", json.dumps(told))
        arguments = ["matrix", "--output", str(folder), *words]
        monkeypatch.setattr(sys, "argv", ["placement-harness", *arguments])
        with pytest.raises(SystemExit) as ended:
            program.main(arguments)
        written = capsys.readouterr()
        return Said(ended.value.code, written.out, written.err, folder)

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def seen(tmp_path: Path) -> list[tuple[str, list[str]]]:
    file = tmp_path / "seen"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(name, words) for name, words in map(json.loads, lines)]
