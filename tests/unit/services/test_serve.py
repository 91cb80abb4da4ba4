"""The process of a placement container: a uwsgi for each lane, all of them or none."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

SERVE = Path(__file__).parents[3] / "services" / "placement" / "serve.py"
# Says what it was started with, and each signal that it gets.
UWSGI = """
import json, os, signal, sys, time

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def run(options):
    def told(number, _):
        say("signal", *(one for one in options if "socket" in one), int(number))
        if number == signal.SIGTERM:
            os._exit(0)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, told)
    its = {name: value for name, value in os.environ.items() if name.startswith("OS_")}
    say(json.dumps([os.getpid(), options, its, "colorsys" in sys.modules]))
    while True:
        time.sleep(60)
"""
OPTIONS = ("--ini=/etc/uwsgi.ini", "--uwsgi-socket=:8778", "--module=placement")
FIRST, SECOND = "--uwsgi-socket=:8778", "--uwsgi-socket=:8081"
LANES = {"8081": {"OS_A__B": "second", "OS_ONLY__FIRST": None}}


class Serving:
    """A container's processes, in a session of their own."""

    started: ClassVar[list[int]] = []

    def __init__(self, folder: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, folder / "serve.py", *OPTIONS],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={"PYTHONPATH": str(folder), "OS_A__B": "1", "OS_ONLY__FIRST": "1", **environment},
        )
        self.started.append(self.process.pid)

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ends(self) -> int:
        return self.process.wait(10)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    shutil.copy(SERVE, tmp_path)
    (tmp_path / "pyuwsgi.py").write_text(UWSGI)
    (tmp_path / "libraries.txt").write_text("no_such_library\ncolorsys\n")
    yield tmp_path
    # A test that has failed may leave processes that wait.
    while Serving.started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(Serving.started.pop(), signal.SIGKILL)


def test_without_lanes_it_becomes_uwsgi(folder: Path) -> None:
    serving = Serving(folder)
    process, options, its, imported = json.loads(serving.line())
    assert (process, tuple(options)) == (serving.process.pid, OPTIONS)
    assert its == {"OS_A__B": "1", "OS_ONLY__FIRST": "1"}
    # A library that the image lacks is imported by the program that needs it.
    assert imported
    serving.process.terminate()
    assert serving.ends() == 0


def test_an_image_without_a_list_of_libraries_serves_too(folder: Path) -> None:
    (folder / "libraries.txt").unlink()
    serving = Serving(folder)
    assert json.loads(serving.line())[-1] is False
    serving.process.terminate()
    assert serving.ends() == 0


def both(folder: Path) -> tuple[Serving, dict[str, tuple[int, dict[str, str]]]]:
    """A container with two lanes, and each one's process and settings, by its socket."""
    serving = Serving(folder, LANES=json.dumps(LANES))
    found = {}
    for process, options, its, imported in (json.loads(serving.line()) for _ in range(2)):
        assert imported
        (socket,) = [option for option in options if "socket" in option]
        assert len(options) == len(OPTIONS)
        found[socket] = (process, its)
    return serving, found


def test_each_lane_has_a_socket_and_settings_of_its_own(folder: Path) -> None:
    serving, found = both(folder)
    assert {socket: its for socket, (_, its) in found.items()} == {
        FIRST: {"OS_A__B": "1", "OS_ONLY__FIRST": "1"},
        SECOND: {"OS_A__B": "second"},
    }
    serving.process.send_signal(signal.SIGHUP)
    told = {serving.line() for _ in range(2)}
    assert told == {f"signal {one} {signal.SIGHUP:d}" for one in (FIRST, SECOND)}
    serving.process.terminate()
    told = {serving.line() for _ in range(2)}
    assert told == {f"signal {one} {signal.SIGTERM:d}" for one in (FIRST, SECOND)}
    assert serving.ends() == 0


@pytest.mark.parametrize(("mortal", "left"), [(FIRST, SECOND), (SECOND, FIRST)])
def test_when_one_lane_dies_so_does_the_container(folder: Path, mortal: str, left: str) -> None:
    serving, found = both(folder)
    os.kill(found[mortal][0], signal.SIGKILL)
    assert serving.line() == f"signal {left} {signal.SIGTERM:d}"
    assert serving.ends() == 128 + signal.SIGKILL
    assert serving.process.stderr is not None
    port = mortal.rpartition(":")[2]
    said = serving.process.stderr.read()
    assert said == f"uwsgi at :{port} has ended with -9: so do the others\n"
    for process, _ in found.values():
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_who_is_stopped_while_it_imports_stops(folder: Path) -> None:
    (folder / "slow.py").write_text("import os, time\nos.write(1, b'slow\\n')\ntime.sleep(60)\n")
    (folder / "libraries.txt").write_text("slow\n")
    serving = Serving(folder)
    assert serving.line() == "slow"
    serving.process.terminate()
    assert serving.ends() == 0
