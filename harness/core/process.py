"""Commands run to their end, or until they have taken too long, or nobody wants them any more.

Each runs in a session of its own: the terminal's Ctrl-C is for the harness, which decides what
happens to a command that is under way.
"""

import contextlib
import os
import queue
import select
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from harness.core.deadline import GLANCE, Deadline, go_on
from harness.core.errors import BuildError

NOT_FOUND, TIMED_OUT = 127, 124
EVIDENCE_LINES = 8
# What a command that is asked to end may still tidy up. Seconds.
PATIENCE = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended: as a shell would number it, and what it said."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def evidence(self) -> tuple[str, ...]:
        """What to show: the lines that pip, apt and mmdebstrap mark as errors; else the last."""
        lines = [line.rstrip() for line in (self.err.strip() or self.out.strip()).splitlines()]
        marked = [line for line in lines if line.startswith(("E: ", "ERROR: "))]
        return tuple(marked[:EVIDENCE_LINES] or lines[-EVIDENCE_LINES:])

    @property
    def reason(self) -> str:
        """The one line that says why: the first error, or the last thing said."""
        if not self.evidence:
            return f"exit code {self.code}, without a word"
        first, last = self.evidence[0], self.evidence[-1]
        return (first if first.startswith(("E: ", "ERROR: ")) else last).rstrip(".")


def run(
    *command: str,
    seconds: float,
    first_line: float | None = None,
    stdin: IO[bytes] | None = None,
    out: IO[bytes] | None = None,
) -> Outcome:
    """Run a command without a shell or a terminal; never raise because it failed.

    ``first_line`` is how long it may take to say anything at all. ``out`` takes its output instead
    of the outcome.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 (no shell; callers pass fixed commands)
            command,
            stdin=stdin or subprocess.DEVNULL,
            stdout=out or subprocess.PIPE,
            stderr=subprocess.PIPE,
            # What they say is matched, and shown: in English, without questions.
            env={**inherited(), "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
            start_new_session=True,
        )
    except OSError as error:
        return Outcome(NOT_FOUND, err=f"{command[0]}: {error.strerror}")
    with process:
        try:
            streams = [stream for stream in (process.stdout, process.stderr) if stream]
            if first_line and not _speaks(streams, Deadline.after(first_line)):
                _end(process)
                return Outcome(TIMED_OUT, err=f"no answer within {first_line:g} s")
            written, said = _communicate(process, Deadline.after(seconds))
        except subprocess.TimeoutExpired:
            _end(process)
            return Outcome(TIMED_OUT, err=f"not done within {seconds:g} s")
        except BaseException:
            _end(process)
            raise
    return Outcome(process.returncode, _text(written), _text(said))


def inherited() -> dict[str, str]:
    """The environment, without the variables of compose.yaml: a person may have set them for a
    stack that is started by hand, and Compose would take them before the harness's own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HARNESS_")}


def mortal(command: Sequence[str]) -> list[str]:
    """The command, made to end with the thread that starts it, even when that is killed.

    The shell ends all that the command has started: docker's plugins do not die with docker.
    """
    if not shutil.which("setpriv"):
        return [*command]
    script = 'trap "trap - TERM; kill 0" TERM; "$@" & wait $!'
    return ["setpriv", "--pdeathsig", "TERM", "sh", "-c", script, "sh", *command]


def follow(
    command: Sequence[str], heard: Callable[[str], None], environment: Mapping[str, str]
) -> int:
    """Run a command that takes long, and give its exit code; ``heard`` gets each line it writes.

    It is ended, with all that it has started, when the waiting is interrupted or cancelled.
    """
    process = subprocess.Popen(  # noqa: S603 (no shell; callers pass fixed commands)
        mortal(command),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    try:
        while True:
            go_on()
            with contextlib.suppress(queue.Empty):
                line = lines.get(timeout=GLANCE)
                if line is None:
                    return process.wait()
                heard(line)
    except BaseException:
        end_group(process)
        raise


def end_group(process: "subprocess.Popen[Any]") -> None:
    """End the leader of a session, and all that it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(PATIENCE)
            break


def _read(process: "subprocess.Popen[str]", lines: "queue.SimpleQueue[str | None]") -> None:
    for line in process.stdout or ():
        lines.put(line.rstrip())
    lines.put(None)


def _speaks(streams: Sequence[IO[bytes]], deadline: Deadline) -> bool:
    return any(select.select(streams, [], [], GLANCE)[0] for _ in deadline.every(0))


def _communicate(
    process: "subprocess.Popen[bytes]", deadline: Deadline
) -> tuple[bytes | None, bytes | None]:
    while True:
        go_on()
        try:
            return process.communicate(timeout=min(GLANCE, deadline.left))
        except subprocess.TimeoutExpired:
            if deadline.passed:
                raise


def _text(output: bytes | None) -> str:
    return (output or b"").decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    # Asked first, for as long as it takes to tidy up: mmdebstrap has a whole system to remove.
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def says_disk_full(output: str) -> bool:
    return "no space left on device" in output.lower()


def disk_full(what: str, evidence: Sequence[str] = ()) -> BuildError:
    return BuildError(
        f"The disk is full: {what}.",
        "Make room, then run again: `docker system df` shows what docker keeps, `docker builder "
        "prune` removes old build steps. The images and their build need about 6 GB.",
        evidence=evidence,
    )


def stop_if_full(what: str, outcome: Outcome) -> None:
    """Raise BuildError where a command failed because the disk is full."""
    if not outcome.ok and says_disk_full(outcome.err + outcome.out):
        raise disk_full(what, outcome.evidence)
