"""Serve placement with uwsgi: once, or once for each lane of the stack.

    serve.py UWSGI-OPTION ...

    LANES    the lanes besides the first one, as JSON: {port: {variable: its value there}}; a
             variable that is null there is not set

Each lane has its own uwsgi, with its own socket and environment. placement's libraries are the same
for all lanes, and are imported once, before the lanes are forked. Lanes stop together: when one
uwsgi ends, the container ends.

A worker that loads placement anew (HUP) finds the libraries imported already, and the garbage
collector never looks at them.
"""

import contextlib
import functools
import gc
import importlib
import json
import os
import pathlib
import signal
import sys
from collections.abc import Iterable
from typing import NoReturn

import pyuwsgi

# Written when the image is assembled. Without the file, placement imports its libraries itself.
LIBRARIES = pathlib.Path(__file__).with_name("libraries.txt")
SOCKET = "--uwsgi-socket="
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGURG)


def preload() -> None:
    """Import placement's libraries, and hide them from the garbage collector.

    The collector's part saves 0.08 of 1.04 CPU seconds of a start, and 0.09 s of each full
    collection (medians of 9 by turns, 2026-11-25).
    """
    gc.disable()
    names = LIBRARIES.read_text().split() if LIBRARIES.exists() else []
    for name in names:
        # placement's own import of this library reports the error.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()
    gc.enable()


def start(options: list[str], environment: dict[str, str | None]) -> int:
    """Start uwsgi for a lane; return its process id."""
    process = os.fork()
    if process:
        return process
    for number in FORWARDED:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    serve(options)


def serve(options: list[str]) -> NoReturn:
    """Become uwsgi."""
    sys.exit(pyuwsgi.run(options))


def tell(processes: Iterable[int], number: int, _: object = None) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


def wait(sockets: dict[int, str]) -> int:
    """Wait for the first process to end, stop the others; return the exit code of the first."""
    first = None
    while sockets:
        ended, status = os.wait()
        # PID 1 also gets orphans of other processes.
        if ended not in sockets:
            continue
        socket, code = sockets.pop(ended), os.waitstatus_to_exitcode(status)
        if first is None:
            first = code if code >= 0 else 128 - code
            if code:
                print(f"uwsgi at {socket} has ended with {code}: so do the others", file=sys.stderr)
            tell(sockets, signal.SIGTERM)
    return first or 0


def serve_lanes(
    options: list[str], option: str, lanes: dict[str, dict[str, str | None]]
) -> NoReturn:
    """Start a uwsgi for each lane, pass signals on, and end when the first of them ends.

    ``lanes`` has what differs in the environment of each, by its socket, which ``option`` sets.
    """
    # A signal that comes now is delivered when there are processes to pass it on to.
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    sockets = {
        start([*options, f"{option}{socket}"], environment): socket
        for socket, environment in lanes.items()
    }
    for number in FORWARDED:
        signal.signal(number, functools.partial(tell, sockets))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    sys.exit(wait(sockets))


def main(options: list[str]) -> None:
    lanes = json.loads(os.environ.pop("LANES", "{}"))
    # PID 1 ignores signals without a handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    preload()
    if not lanes:
        serve(options)
    first = next(option for option in options if option.startswith(SOCKET)).removeprefix(SOCKET)
    others = [option for option in options if not option.startswith(SOCKET)]
    ports = {f":{port}": environment for port, environment in lanes.items()}
    serve_lanes(others, SOCKET, {first: {}, **ports})


if __name__ == "__main__":
    main(sys.argv[1:])
