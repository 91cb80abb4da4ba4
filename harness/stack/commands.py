"""Commands run to their end, or until they have taken too long."""

import os
import select
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from harness.errors import BuildError

NOT_FOUND, TIMED_OUT = 127, 124
EVIDENCE_LINES = 8


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
            env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
        )
    except OSError as error:
        return Outcome(NOT_FOUND, err=f"{command[0]}: {error.strerror}")
    with process:
        try:
            streams = [stream for stream in (process.stdout, process.stderr) if stream]
            if first_line and not select.select(streams, [], [], first_line)[0]:
                _end(process)
                return Outcome(TIMED_OUT, err=f"no answer within {first_line:g} s")
            written, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return Outcome(TIMED_OUT, err=f"not done within {seconds:g} s")
        except BaseException:
            _end(process)
            raise
    return Outcome(process.returncode, _text(written), _text(said))


def _text(output: bytes | None) -> str:
    return (output or b"").decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    # Asked first, for as long as it takes to tidy up: mmdebstrap has a whole system to remove.
    process.terminate()
    try:
        process.wait(20)
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
