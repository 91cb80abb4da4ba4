"""The real commands, as a user types them, on stacks that meet no other stack of the machine."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.core.files import RUN
from harness.stack.handle import Stack
from harness.stack.model.state import STACK_LABEL, STATE_LABEL, StackState

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
# The longest that any command may take here; a stack is there within 10 s. Seconds.
LONG = 120.0


def long(value: str | int) -> Any:
    """A parameter that the default run leaves out, since another value makes the same claim."""
    return pytest.param(value, marks=pytest.mark.long)


def docker(*words: str, timeout: float = 60) -> str:
    """What a docker command says; raises CalledProcessError when it fails."""
    return subprocess.run(
        ["docker", *words], check=True, capture_output=True, text=True, timeout=timeout
    ).stdout


class Running:
    """A command under way. ``lines`` holds what it wrote, each with its time since the epoch."""

    def __init__(self, words: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self.lines: list[tuple[float, str]] = []
        self.process = subprocess.Popen(
            words,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A process group of its own, as the shell gives to each command of a terminal.
            process_group=0,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append((time.time(), line.rstrip("\n")))

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.lines)

    def when(self, words: str, seconds: float = LONG) -> float:
        """Wait for a line with these words; gives the moment when it was written."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for moment, line in list(self.lines):
                if words in line:
                    return moment
            assert self.process.poll() is None, f"ended without {words!r}:\n{self.text}"
            time.sleep(0.02)
        raise AssertionError(f"no {words!r} within {seconds} s:\n{self.text}")

    def interrupt(self) -> None:
        """Ctrl-C: the terminal sends it to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(LONG)

    def ends(self, seconds: float = LONG) -> int:
        """Its exit code, once it has ended."""
        code = self.process.wait(seconds)
        self._reader.join(5)
        return code


class Commands:
    """Commands with a state directory and a stack name of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.state = folder / "state"
        self.name = f"harness-live-{secrets.token_hex(4)}"
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("OS_", "PLACEMENT_", "PYTEST_"))
            },
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "PLACEMENT_HARNESS_STATE": str(self.state),
            "PLACEMENT_HARNESS_NAME": self.name,
            "PYTHONUNBUFFERED": "1",
        }

    def start(self, *words: str) -> Running:
        return Running([*words], self.environment, self.folder)

    def run(self, *words: str, code: int = 0, timeout: float = LONG) -> str:
        """Run a command to its end, and give what it wrote; any other exit code is a failure."""
        running = self.start(*words)
        try:
            ended = running.ends(timeout)
        except subprocess.TimeoutExpired:
            running.kill()
            raise AssertionError(f"{words} took {timeout} s:\n{running.text}") from None
        assert ended == code, f"{words} ended with {ended}, not {code}:\n{running.text}"
        return running.text

    def harness(self, *words: str, code: int = 0) -> str:
        return self.run("placement-harness", *words, code=code)

    def pytest(self, *words: str, code: int = 0) -> str:
        return self.run(*self.pytest_words(*words), code=code)

    @staticmethod
    def pytest_words(*words: str) -> list[str]:
        return ["pytest", "-p", "no:cacheprovider", *words]

    def stack(self) -> Stack:
        """The running stack, as the library gives it."""
        state = StackState(self.name, self.state)
        record = state.record()
        assert record is not None
        return Stack(state, record, state.secrets())

    def suite(self, text: str, name: str = "gabbits/suite.yaml") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def left(self) -> list[str]:
        """Whatever is left of this one's stacks: in the engine, among processes, on disk."""
        found = of_state(self.state)
        names = {line.split()[1] for line in found} | {self.name}
        for path in self.state.iterdir() if self.state.is_dir() else ():
            # What is kept for later runs (scenes, placements) begins with a dot.
            if path.is_dir() and (not path.name.startswith(".") or path.name.startswith(RUN)):
                found.append(f"directory {path.name}")
                names.add(path.name)
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = process.read_bytes().decode(errors="replace").replace("\0", " ")
            except OSError:
                continue
            if line.startswith(("docker", "flock", "setpriv")) and any(n in line for n in names):
                found.append(f"process {line}")
        return found

    def settled(self, seconds: float = 5) -> list[str]:
        """What is left once everything has had this time to end."""
        end = time.monotonic() + seconds
        while (found := self.left()) and time.monotonic() < end:
            time.sleep(0.1)
        return found

    def clear(self) -> None:
        self.run("placement-harness", "reap", "--all")


def of_state(root: Path) -> list[str]:
    """What the engine has of the stacks whose state is below a directory."""
    template = f'{{{{.Label "{STACK_LABEL}"}}}}\t{{{{.Label "{STATE_LABEL}"}}}}'
    found = []
    for kind, *listing in (
        ["container", "ps", "--all"],
        ["network", "network", "ls"],
        ["volume", "volume", "ls"],
    ):
        lines = docker(*listing, "--filter", f"label={STACK_LABEL}", "--format", template)
        for line in lines.splitlines():
            name, _, state = line.partition("\t")
            if state.startswith(f"{root}/"):
                found.append(f"{kind} {name}")
    return found


@contextmanager
def own(folder: Path) -> Iterator[Commands]:
    """Commands whose stacks are gone after the block, whatever happens in it."""
    commands = Commands(folder)
    try:
        yield commands
    finally:
        commands.clear()


class Killer(threading.Thread):
    """Kills a container as soon as it runs. ``at`` is when that was asked for, since the epoch.

    The engine's answer comes later: a watcher of the container may have seen its death before.
    """

    def __init__(self, name: str) -> None:
        super().__init__(daemon=True)
        self._name = name
        self.at = 0.0

    def run(self) -> None:
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            self.at = time.time()
            killed = subprocess.run(
                ["docker", "kill", self._name], capture_output=True, timeout=60, check=False
            )
            if killed.returncode == 0:
                return
            time.sleep(0.02)
