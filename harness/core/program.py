"""Starts another program; the caller waits for its end, reads its lines, or goes on meanwhile.

Each program runs in a session of its own. The terminal's Ctrl-C reaches the harness alone, which
decides what happens to a program that is under way. Ending a program also ends all processes that
it has started.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from harness.core.deadline import GLANCE, Deadline, go_on
from harness.core.environment import inherited

# Seconds that a program gets to clean up after SIGTERM: mmdebstrap has a whole system to remove.
PATIENCE = 20.0
POLL_SECONDS = 0.02
# Places for the errors of a program: apart from its output, or nowhere.
APART, NOWHERE = subprocess.PIPE, subprocess.DEVNULL


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


def mortal(command: Sequence[str]) -> Sequence[str]:
    """The command, wrapped so that it ends with the thread that starts it.

    The wrapping shell ends the child processes too: docker's plugins do not end with docker.
    """
    if not shutil.which("setpriv"):
        return command
    script = 'trap "trap - TERM; kill 0" TERM; "$@" & wait $!'
    return ["setpriv", "--pdeathsig", "TERM", "sh", "-c", script, "sh", *command]


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
