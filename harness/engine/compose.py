"""Compose: one project on one engine, and the files that describe the project's stacks."""

import json
import os
import pathlib
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import certifi

from harness.core.errors import EngineError
from harness.core.paths import COMPOSE_FILE
from harness.core.process import Outcome
from harness.engine.command import compose_options
from harness.engine.docker import Engine
from harness.engine.values import DockerError

# Label that Compose gives to all that it makes.
PROJECT_LABEL = "com.docker.compose.project"
# Time limit of reading the Compose files, which takes 0.1 s on an idle machine.
CONFIG_SECONDS = 30.0
# Time limit of Compose itself, which does not wait for programs in the containers.
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
    """Path of the certificates that builds trust: the user's variables, Debian's file, certifi."""
    debian = "/etc/ssl/certs/ca-certificates.crt"
    for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"):
        chosen = os.environ.get(name)
        if chosen and os.path.isfile(chosen):
            return chosen
    return debian if os.path.isfile(debian) else certifi.where()


@dataclass(frozen=True, slots=True)
class Up:
    """Options of ``Compose.up``.

    Empty ``services`` stand for all services. With ``recreate``, containers that differ from the
    Compose files are replaced. Without ``dependencies``, services that the named ones depend on are
    left out. Without ``start``, containers are created but not started.
    """

    services: tuple[str, ...] = ()
    start: bool = True
    recreate: bool = True
    dependencies: bool = True
    remove_orphans: bool = False


class Compose:
    """A Compose project on an engine; with a ``profile``, the services that have it.

    ``busy`` is a file that commands which change the project hold locked. They go on when the
    harness is killed; the cleanup of the project can then wait for the lock.
    """

    def __init__(
        self,
        engine: Engine,
        files: Sequence[pathlib.Path],
        *,
        project: str | None = None,
        env_file: pathlib.Path | None = None,
        busy: pathlib.Path | None = None,
        profile: str | None = None,
    ) -> None:
        self._engine = engine
        self._files = [*files]
        self._project = project
        self._env_file = env_file
        self._busy = busy
        self._profile = profile

    def config(self) -> dict[str, Any]:
        """The project that the files describe, with all variables in place. Raises DockerError."""
        words = ("config", "--format", "json")
        action = "read the Compose files"
        outcome = self._run(action, *words, seconds=CONFIG_SECONDS)
        try:
            project: dict[str, Any] = json.loads(outcome.out)
        except ValueError:
            raise DockerError(action, Outcome(1, err="Compose's answer is no JSON")) from None
        return project

    def up(self, what: Up) -> None:
        """Make and start containers. Raises DockerError with Compose's output as evidence."""
        words = (
            *("up", "--detach", "--no-build", "--pull", "never", "--quiet-pull"),
            *(() if what.start else ("--no-start",)),
            *(() if what.recreate else ("--no-recreate",)),
            *(() if what.dependencies else ("--no-deps",)),
            *(("--remove-orphans",) if what.remove_orphans else ()),
            *what.services,
        )
        self._run("start containers", *words, seconds=COMPOSE_SECONDS, before=self._lock())

    def down(self) -> None:
        """Remove all of the project at once. Raises DockerError."""
        words = ("down", "--volumes", "--remove-orphans", "--timeout", "0")
        action = "remove a Compose project"
        self._run(action, *words, seconds=COMPOSE_SECONDS, before=self._lock())

    def build(
        self, service: str, environment: Mapping[str, str], heard: Callable[[str], None]
    ) -> bool:
        """Build a service's image; False if that failed. ``heard`` gets each output line."""
        code = self._engine.command.compose_build(self._options(), service, environment, heard)
        return code == 0

    def _run(self, action: str, *words: str, seconds: float, before: Sequence[str] = ()) -> Outcome:
        outcome = self._engine.command.compose(
            self._options(), *words, seconds=seconds, before=before
        )
        if not outcome.ok:
            raise DockerError(action, outcome)
        return outcome

    def _options(self) -> tuple[str, ...]:
        return compose_options(self._files, self._env_file, self._project, self._profile)

    def _lock(self) -> tuple[str, ...]:
        if self._busy is None or not shutil.which("flock"):
            return ()
        return ("flock", "--shared", "--no-fork", str(self._busy))


def lines_of(output: str) -> list[str]:
    """The lines of Compose's output, without empty lines."""
    return [line.rstrip() for line in output.splitlines() if line.strip()]
