"""Docker and Compose, for one stack."""

import json
import os
import pathlib
import shutil
from collections.abc import Iterable
from typing import Any

import certifi

from harness.core.disk import disk_full, says_disk_full
from harness.core.errors import EngineError, StackError
from harness.core.paths import COMPOSE_FILE
from harness.core.process import run
from harness.stack.model.state import StackState

STACK_LABEL = "placement-harness.stack"
# Compose's own.
PROJECT_LABEL = "com.docker.compose.project"
STATE_LABEL = "placement-harness.state"
# Of reading the Compose files: 0.1 s on an idle machine.
CONFIG_SECONDS = 30.0
# Of Compose itself; what it starts is waited for elsewhere.
COMPOSE_SECONDS = 120.0


def compose_files(overlays: Iterable[pathlib.Path] = ()) -> list[pathlib.Path]:
    """The project's Compose files. Raises EngineError where the installation has none."""
    if not COMPOSE_FILE.is_file():
        raise EngineError(
            f"There is no {COMPOSE_FILE}: this installation of placement-harness is incomplete.",
            "Install it again, from a wheel or with `pip install CHECKOUT`; an editable "
            "installation (`pip install -e`) needs its checkout where it was.",
        )
    return [COMPOSE_FILE, *overlays]


def ca_bundle() -> str:
    """The certificates that builds trust: the host's choice, else Debian's place, else certifi."""
    debian = "/etc/ssl/certs/ca-certificates.crt"
    for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"):
        chosen = os.environ.get(name)
        if chosen and os.path.isfile(chosen):
            return chosen
    return debian if os.path.isfile(debian) else certifi.where()


def command(state: StackState) -> list[str]:
    """docker, with a lock that says that it works on the stack.

    docker goes on when the harness is killed. The cleanup of the stack then waits for the lock.
    """
    busy = ("flock", "--shared", "--no-fork", str(state.directory / "busy"))
    return [*(busy if shutil.which(busy[0]) else ()), "docker"]


def compose_command(state: StackState) -> list[str]:
    """docker compose for this stack, to be followed by what it is to do."""
    return [*command(state), *compose_words([state.compose_file]), *_which(state)]


def compose_words(files: Iterable[pathlib.Path]) -> list[str]:
    """Compose with these files, and output that can be read in a log."""
    return ["compose", "--progress", "plain", *(w for file in files for w in ("--file", str(file)))]


def resolved(
    state: StackState, overlays: Iterable[pathlib.Path], override: pathlib.Path | None = None
) -> dict[str, Any]:
    """The stack that the Compose files describe, with its names and secrets in place.

    ``override`` is the user's Compose file, which is merged last. Raises StackError when Compose
    cannot read the files.
    """
    files = [*compose_files(overlays), *([override] if override else [])]
    words_ = ["docker", *compose_words(files), *_which(state), "config", "--format", "json"]
    said = run(*words_, seconds=CONFIG_SECONDS)
    if not said.ok:
        raise StackError(
            f"Compose makes no sense of {', '.join(_names(files, override))}.",
            "Mend what it names below.",
            evidence=words(said.err)[-5:],
        )
    project: dict[str, Any] = json.loads(said.out)
    return project


def _names(files: Iterable[pathlib.Path], override: pathlib.Path | None) -> list[str]:
    """Names of the project's files; the user's file with its whole path."""
    return [str(file) if file == override else file.name for file in files]


def _which(state: StackState) -> list[str]:
    return ["--project-name", state.name, "--env-file", str(state.env_file)]


class PortTakenError(Exception):
    """Another program has the port that Apache was to have."""

    def __init__(self, error: StackError) -> None:
        self.error = error


def compose_up(state: StackState, *how: str) -> None:
    """Let Compose start the containers. Raises PortTakenError, BuildError, StackError."""
    # Not through python_on_whales, here and below: its import takes 0.2 s.
    said = run(
        *compose_command(state),
        *("up", "--detach", "--no-build", "--pull", "never", "--quiet-pull", *how),
        seconds=COMPOSE_SECONDS,
    )
    if said.ok:
        return
    lines = words(said.err)
    text = "\n".join(lines)
    if "port is already allocated" in text or "address already in use" in text:
        raise PortTakenError(
            StackError(
                "Another program listens on the port that Apache was to have.",
                "Give another with --stack-port (pytest) or --port (placement-harness up), or "
                "none, to have a free one chosen.",
                evidence=lines[-2:],
                service="apache",
            )
        )
    if says_disk_full(text):
        raise disk_full("starting the stack", lines[-5:])
    raise StackError(
        "The containers could not be started.",
        "`placement-harness doctor` checks what they need.",
        evidence=lines[-10:],
    )


def words(output: str | bytes | None) -> list[str]:
    """The lines of what a command said, without the empty ones and Compose's progress."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
    return [line.rstrip() for line in text.splitlines() if line.strip()]
