"""Docker and Compose, for one stack."""

import os
import pathlib
import shutil
from typing import TYPE_CHECKING

import certifi

from harness.errors import EngineError
from harness.state import StackState

if TYPE_CHECKING:
    from python_on_whales import DockerClient

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPOSE_FILE = ROOT / "compose.yaml"
OVERRIDE_FILE = ROOT / "compose.override.yaml"

STACK_LABEL = "placement-harness.stack"
# Compose's own.
PROJECT_LABEL = "com.docker.compose.project"
STATE_LABEL = "placement-harness.state"


def compose_files(state: StackState | None = None) -> list[pathlib.Path]:
    """What describes the stack: with its state, its lanes too."""
    if not COMPOSE_FILE.is_file():
        raise EngineError(
            f"There is no compose.yaml in {ROOT}.",
            "The stack's files come with the project's checkout: install it from there with "
            "`pip install -e`.",
        )
    more = [OVERRIDE_FILE, *([state.lanes_file] if state else [])]
    return [COMPOSE_FILE, *(file for file in more if file.is_file())]


def ca_bundle() -> str:
    """The certificates that builds trust: the host's choice, else Debian's place, else certifi."""
    debian = "/etc/ssl/certs/ca-certificates.crt"
    for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"):
        chosen = os.environ.get(name)
        if chosen and os.path.isfile(chosen):
            return chosen
    return debian if os.path.isfile(debian) else certifi.where()


def command(state: StackState) -> list[str]:
    """docker, in a session of its own: the terminal's Ctrl-C is for the harness, which decides
    what happens to a command that is under way. When the harness is killed, it goes on: whoever
    clears up after that finds it by the lock that it holds."""
    busy = ("flock", "--shared", "--no-fork", str(state.directory / "busy"))
    parts = [busy, ("setsid", "--wait")]
    return [word for part in parts if shutil.which(part[0]) for word in part] + ["docker"]


def compose_command(state: StackState) -> list[str]:
    """docker compose for this stack, to be followed by what it is to do."""
    which = ["--project-name", state.name, "--env-file", str(state.env_file)]
    return [*command(state), *compose_words(state), *which]


def compose_words(state: StackState | None = None) -> list[str]:
    """Compose with the stack's files, and output that can be read in a log."""
    files = [word for file in compose_files(state) for word in ("--file", str(file))]
    return ["compose", "--progress", "plain", *files]


def client(state: StackState) -> "DockerClient":
    """A client for this stack. Importing the library takes 0.4 s: only who needs it pays."""
    from python_on_whales import DockerClient

    return DockerClient(
        compose_files=list(compose_files(state)),
        compose_project_name=state.name,
        compose_env_files=[state.env_file],
        client_call=command(state),
    )


def words(output: str | bytes | None) -> list[str]:
    """The lines of what a command said, without the empty ones and Compose's progress."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
    return [line.rstrip() for line in text.splitlines() if line.strip()]
