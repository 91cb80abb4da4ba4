"""Starts other programs; the caller waits for their end, reads their lines, or goes on meanwhile.

Each program runs in a session of its own. The terminal's Ctrl-C reaches the harness alone, which
decides what happens to a program that is under way. Ending a program also ends all processes that
it has started.
"""

import contextlib
import math
import os
import queue
import select
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.core.deadline import GLANCE, Deadline, go_on
from harness.core.environment import inherited

NOT_FOUND, TIMED_OUT = 127, 124
EVIDENCE_LINES = 8
# Seconds that a program gets to clean up after SIGTERM: mmdebstrap has a whole system to remove.
PATIENCE = 20.0
POLL_SECONDS = 0.02
# Time limit of a command that may take as long as it needs.
NO_LIMIT = math.inf
# Places for the errors of a program: apart from its output, or nowhere.
APART, NOWHERE = subprocess.PIPE, subprocess.DEVNULL


@dataclass(frozen=True, slots=True)
class Outcome:
    """Exit code of a command, as a shell numbers it, and its output."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def text(self) -> str:
        """Everything that the command has written."""
        return self.out + self.err

    @property
    def evidence(self) -> tuple[str, ...]:
        """Lines to show: the lines that pip, apt or mmdebstrap mark as errors, or the last ones."""
        lines = [line.rstrip() for line in (self.err.strip() or self.out.strip()).splitlines()]
        marked = [line for line in lines if line.startswith(("E: ", "ERROR: "))]
        return tuple(marked[:EVIDENCE_LINES] or lines[-EVIDENCE_LINES:])

    @property
    def reason(self) -> str:
        """The line that says why the command failed: the first error, or the last line."""
        if not self.evidence:
            return f"exit code {self.code}, without a word"
        first, last = self.evidence[0], self.evidence[-1]
        return (first if first.startswith(("E: ", "ERROR: ")) else last).rstrip(".")


class Program:
    """A program that runs beside its caller until it ends or is ended.

    ``out`` and ``errors`` take the output and the errors. Without ``out`` the caller must read
    ``output`` or ``lines``, or the program blocks. Without ``errors`` the errors go into the
    output. With ``is_mortal`` the program ends with the thread that starts it, even by kill -9.
    Raises OSError when the program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        out: IO[bytes] | None = None,
        errors: IO[bytes] | int | None = None,
        stdin: IO[bytes] | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        is_mortal: bool = False,
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603 (no shell; callers pass fixed commands)
            mortal(command) if is_mortal else command,
            stdin=stdin or subprocess.DEVNULL,
            stdout=out or subprocess.PIPE,
            stderr=subprocess.STDOUT if errors is None else errors,
            env=inherited() if environment is None else environment,
            cwd=folder,
            start_new_session=True,
        )

    @property
    def output(self) -> IO[bytes]:
        """Stream of the program's output, unless ``out`` takes it."""
        if self._process.stdout is None:
            raise ValueError("the output goes elsewhere")
        return self._process.stdout

    @property
    def code(self) -> int | None:
        """Exit code; None while the program runs."""
        return self._process.poll()

    def lines(self) -> Iterator[str]:
        """Lines of the output, without their ends, until the program closes it."""
        for line in self.output:
            yield line.decode(errors="replace").rstrip()

    def wait(self, seconds: float | None = None) -> int | None:
        """Exit code of the program; None when it has not ended by then."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def communicate(self, deadline: Deadline) -> tuple[bytes, bytes]:
        """Output and errors of the program, once it has ended.

        Raises TimeoutError after the deadline, and Cancelled.
        """
        while True:
            go_on()
            try:
                written, errors = self._process.communicate(timeout=min(GLANCE, deadline.left))
            except subprocess.TimeoutExpired:
                if deadline.passed:
                    raise TimeoutError from None
            else:
                return written or b"", errors or b""

    def speaks(self, deadline: Deadline) -> bool:
        """Whether the program writes anything, or ends, before the deadline."""
        streams = [stream for stream in (self._process.stdout, self._process.stderr) if stream]
        return any(select.select(streams, [], [], GLANCE)[0] for _ in deadline.every(0))

    def ask_to_end(self) -> None:
        """Send SIGTERM to the program alone, which passes it on to its own child processes."""
        self._process.terminate()

    def end(self) -> None:
        """End the program and its child processes, and return when all of them have ended.

        docker's plugins, such as Compose, do not end with docker.
        """
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            for _ in _until_patience_ends(PATIENCE):
                if self._process.poll() is not None and not _alive(self._process.pid):
                    return

    def close(self) -> None:
        """Close the output, once the program has ended."""
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()


def run(
    *command: str,
    seconds: float,
    first_line: float | None = None,
    stdin: IO[bytes] | bytes | None = None,
    out: IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Outcome:
    """Run a command to its end, without a shell or a terminal; never raise because it failed.

    ``seconds`` limit the whole command, ``first_line`` the time until it writes anything. With
    ``out`` the output goes into that file, and the outcome has none. A command that is interrupted,
    cancelled or too slow is ended, and its child processes too.
    """
    with _readable(stdin) as source:
        try:
            program = Program(
                command,
                out=out,
                errors=APART,
                stdin=source,
                environment=plain_environment() if environment is None else environment,
                folder=folder,
            )
        except OSError as error:
            return Outcome(NOT_FOUND, err=f"{command[0]}: {error.strerror}")
    try:
        if first_line and not program.speaks(Deadline.after(first_line)):
            program.end()
            return Outcome(TIMED_OUT, err=f"no answer within {first_line:g} s")
        written, errors = program.communicate(Deadline.after(seconds))
    except TimeoutError:
        program.end()
        return Outcome(TIMED_OUT, err=f"not done within {seconds:g} s")
    except BaseException:
        program.end()
        raise
    finally:
        program.close()
    texts = (stream.decode(errors="replace") for stream in (written, errors))
    return Outcome(program.code or 0, *texts)


def plain_environment() -> dict[str, str]:
    """Environment of commands whose output is matched and shown: English, without questions."""
    return {**inherited(), "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


def follow(
    command: Sequence[str], heard: Callable[[str], None], environment: Mapping[str, str]
) -> int:
    """Run a command that takes long, and return its exit code; ``heard`` gets each output line.

    The command and its child processes are ended when this process is killed, or when the wait is
    interrupted or cancelled.
    """
    program = Program(command, environment=environment, is_mortal=True)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(program, lines), daemon=True).start()
    try:
        while True:
            go_on()
            with contextlib.suppress(queue.Empty):
                line = lines.get(timeout=GLANCE)
                if line is None:
                    return program.wait() or 0
                heard(line)
    except BaseException:
        program.end()
        raise


def mortal(command: Sequence[str]) -> Sequence[str]:
    """The command, wrapped so that it ends with the thread that starts it.

    The wrapping shell ends the child processes too: docker's plugins do not end with docker.
    """
    if not shutil.which("setpriv"):
        return command
    script = 'trap "trap - TERM; kill 0" TERM; "$@" & wait $!'
    return ["setpriv", "--pdeathsig", "TERM", "sh", "-c", script, "sh", *command]


def _read(program: Program, lines: "queue.SimpleQueue[str | None]") -> None:
    for line in program.lines():
        lines.put(line)
    lines.put(None)


@contextlib.contextmanager
def _readable(stdin: IO[bytes] | bytes | None) -> Iterator[IO[bytes] | None]:
    """A file with these bytes, which the program reads at its own pace."""
    if not isinstance(stdin, bytes):
        yield stdin
        return
    with tempfile.TemporaryFile() as file:
        file.write(stdin)
        file.seek(0)
        yield file


def _until_patience_ends(seconds: float) -> Iterator[float]:
    """Poll until the time is up, even where the caller's wait is cancelled."""
    deadline = Deadline.after(seconds)
    pause = threading.Event()
    while not deadline.passed:
        yield deadline.waited
        pause.wait(POLL_SECONDS)


def _alive(group: int) -> bool:
    """Whether a process group has a process that has not ended.

    Zombies do not count. The kernel counts them, and PID 1 of a container may never reap them.
    """
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, fields = stat.read_text(errors="replace").rpartition(")")
        except OSError:
            continue
        state, _, member = fields.split()[:3]
        if int(member) == group and state not in "ZX":
            return True
    return False
