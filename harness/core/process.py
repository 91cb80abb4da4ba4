"""Runs a command to its end, without a terminal, and returns its exit code and its output.

A command that takes long is followed line by line. Its process is a ``core.program``.
"""

import contextlib
import math
import queue
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ParamSpec

from harness.core.deadline import GLANCE, Deadline, go_on
from harness.core.environment import inherited
from harness.core.program import APART, Program

NOT_FOUND, TIMED_OUT = 127, 124
EVIDENCE_LINES = 8
# Time limit of a command that may take as long as it needs.
NO_LIMIT = math.inf

P = ParamSpec("P")


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


def _despite_the_terminal(start: Callable[P, Outcome]) -> Callable[P, Outcome]:
    """Start a command again if a signal of the terminal ended it.

    The signal reaches a process that is made at that moment and has not left the terminal's
    session. Nothing has been done then: the program itself was not yet started.
    """

    def started(*command: P.args, **options: P.kwargs) -> Outcome:
        outcome = start(*command, **options)
        again = -outcome.code in (signal.SIGINT, signal.SIGHUP)
        return start(*command, **options) if again else outcome

    return started


@_despite_the_terminal
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
    # ssh, by which docker reaches other machines, has no terminal here: it must not open a window.
    silent = {"DEBIAN_FRONTEND": "noninteractive", "SSH_ASKPASS_REQUIRE": "never"}
    return {**inherited(), "LC_ALL": "C.UTF-8", **silent}


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
