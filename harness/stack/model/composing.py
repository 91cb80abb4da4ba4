"""Lets Compose describe, start and remove a stack, and turns its failures into errors."""

import json
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.core.disk import disk_full, says_disk_full
from harness.core.errors import StackError
from harness.engine import refusals
from harness.engine.compose import Compose, Up, compose_files, lines_of
from harness.engine.values import DockerError
from harness.stack.model import copies, hosts, lanes
from harness.stack.model.state import StackState

EVERYTHING = Up()
# Errors of a start for which something is missing that was there a moment ago.
GONE = re.compile(r"no such (container|image|volume)|(network|volume) \S+ not found", re.I)


class PortTakenError(Exception):
    """Another program listens on the port that Apache should use."""

    def __init__(self, error: StackError) -> None:
        self.error = error


def described(
    state: StackState, overlays: Iterable[Path], override: Path | None = None
) -> dict[str, Any]:
    """The stack that the Compose files describe, with names and secrets filled in.

    ``override`` is the user's Compose file, which is merged last. Raises StackError when Compose
    cannot read the files.
    """
    files = [*compose_files(overlays), *([override] if override else [])]
    project = Compose(state.engine, files, project=state.name, env_file=state.env_file)
    try:
        return project.config()
    except DockerError as error:
        names = [str(file) if file == override else file.name for file in files]
        raise StackError(
            f"Compose cannot read {', '.join(names)}.",
            "Correct the lines that its output below names.",
            evidence=lines_of(error.output)[-5:],
        ) from None


def bind(source: Path, target: str) -> dict[str, Any]:
    """A folder of this machine's in a container, read-only, as Compose describes it.

    With `create_host_path` off, Compose gives the path to the engine apart: it may have a colon.
    """
    return {
        "type": "bind",
        "source": literal(str(source)),
        "target": target,
        "read_only": True,
        "bind": {"create_host_path": False},
    }


def literal(text: str) -> str:
    """The text for Compose, which takes a single $ for the beginning of a variable."""
    return text.replace("$", "$$")


def start(state: StackState, what: Up = EVERYTHING) -> None:
    """Let Compose start containers, on all hosts at once.

    Raises PortTakenError, BuildError, StackError.
    """
    try:
        _on_each(state, lambda place: _start(state, what, place))
    except DockerError as error:
        raise _start_error(error) from None
    copies.push(state)


def remove(state: StackState) -> None:
    """Let Compose remove the stack at once. Raises DockerError."""
    _on_each(state, lambda place: project_of(state, place).down())


def project_of(state: StackState, place: int = 0) -> Compose:
    """The stack, as it was described when it was started, on the host at this place."""
    return Compose(
        state.hosts[place].engine,
        [state.compose_file],
        project=state.name,
        env_file=state.env_file,
        busy=state.directory / "busy",
        profile=hosts.profile(place) if len(state.hosts) > 1 else None,
    )


def _on_each(state: StackState, work: Callable[[int], None]) -> None:
    """Do the work for each host at once; raise the first error when all are done."""
    places = range(len(state.hosts))
    with ThreadPoolExecutor(len(places)) as pool:
        for done in [pool.submit(work, place) for place in places]:
            done.result()


def _start(state: StackState, what: Up, place: int) -> None:
    project, count = project_of(state, place), len(state.hosts)
    if count == 1:
        project.up(what)
        return
    described = json.loads(state.compose_file.read_text())["services"]
    here = [name for name in described if lanes.host_of(name, count) == place]
    wanted = tuple(name for name in what.services if name in here)
    if here and (wanted or not what.services):
        project.up(replace(what, services=wanted))
    elif not here and what.remove_orphans:
        # Compose starts nothing where there is nothing to start, and removes nothing then.
        project.down()


def _start_error(error: DockerError) -> Exception:
    lines = lines_of(error.output)
    text = "\n".join(lines)
    if "port is already allocated" in text or "address already in use" in text:
        return PortTakenError(
            StackError(
                "Another program listens on the port that Apache should use.",
                "Give another port with --stack-port (pytest) or --port (placement-harness up), or "
                "leave the option away: the harness then chooses a free port.",
                evidence=lines[-2:],
                service="apache",
            )
        )
    if refusal := refusals.meaning(text):
        return StackError(*refusal, evidence=lines[-2:])
    if GONE.search(text):
        return StackError(
            "Something that the stack consists of was removed while it was started.",
            "Look for a `docker system prune` beside this run (a cron job, another CI job), and "
            "run again: what is missing is built again.",
            evidence=lines[-5:],
        )
    if says_disk_full(text):
        return disk_full("starting the stack", lines[-5:])
    return StackError(
        "The containers could not be started.",
        "`placement-harness doctor` checks what they need.",
        evidence=lines[-10:],
    )
