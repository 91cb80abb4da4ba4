"""Finds out whether an engine can be used, and what kind of machine it is on."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import EngineError, UsageError
from harness.core.process import TIMED_OUT, Outcome
from harness.engine.command import SURVEY_SECONDS
from harness.engine.docker import Engine
from harness.engine.install import OLDEST_ENGINE, older, written

FIELDS = (".ID", ".ServerVersion", ".Architecture", ".OSType")


@dataclass(frozen=True, slots=True)
class Survey:
    """An engine: its id, its version, and the processor and the system of its machine."""

    id: str
    version: str
    processor: str
    system: str


def survey(engine: Engine, title: str) -> Survey:
    """Look at an engine that answers within five seconds; messages name it by ``title``.

    Raises EngineError.
    """
    outcome = engine.command.info(FIELDS)
    values = outcome.out.rstrip("\n").split("\t")
    # docker info may exit with 0, and without values, when the engine does not answer.
    if not outcome.ok or len(values) != len(FIELDS) or not values[0]:
        raise _silent(outcome, title)
    engine_facts = Survey(*values)
    if older(engine_facts.version, OLDEST_ENGINE):
        raise EngineError(
            f"The container engine of {title} is version {engine_facts.version}; a stack needs "
            f"{written(OLDEST_ENGINE)} or newer.",
            "Upgrade that engine, or leave this host out.",
        )
    return engine_facts


def answers(engine: Engine) -> bool:
    """Whether an engine answers within five seconds."""
    outcome = engine.command.info(FIELDS[:1])
    return outcome.ok and bool(outcome.out.strip())


def current_address() -> str:
    """The address of docker's current engine; empty for the default one of this machine."""
    host = os.environ.get("DOCKER_HOST")
    if host or not (os.environ.get("DOCKER_CONTEXT") or _has_current_context()):
        return host or ""
    return Engine().command.address().out.strip()


def _has_current_context() -> bool:
    """Whether docker's configuration may name a context: asking docker would take 25 ms."""
    folder = os.environ.get("DOCKER_CONFIG")
    file = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
    try:
        return "currentContext" in file.read_text()
    except (OSError, ValueError):
        return False


def context_address(name: str) -> str:
    """The address of a docker context's engine, e.g. tcp://machine:2376. Raises UsageError."""
    command = Engine().command
    outcome = command.context_address(name)
    if outcome.ok and outcome.out.strip():
        return outcome.out.strip()
    known = ", ".join(command.contexts().out.split())
    raise UsageError(
        f"--host {name}: docker has no context of this name.",
        f"Give one of `docker context ls` ({known or 'there is none'}), or an engine's address: "
        "ssh://user@machine, tcp://machine:2376, unix:///run/docker.sock.",
    )


def _silent(outcome: Outcome, title: str) -> EngineError:
    """The error for an engine that did not answer, or that refuses."""
    problem = f"The container engine of {title} does not answer"
    if outcome.code == TIMED_OUT:
        return EngineError(
            f"{problem} within {SURVEY_SECONDS:g} s.",
            "See whether the machine is up and the engine runs there, or leave this host out.",
        )
    if re.search("permission denied|host key verification failed", outcome.err, re.IGNORECASE):
        return EngineError(
            f"{problem}: access is refused, or would need a password.",
            "A run has no terminal for that. With ssh, a key in the agent and the machine in "
            "known_hosts are needed: `ssh -o BatchMode=yes MACHINE docker version` has to work.",
            evidence=outcome.evidence,
        )
    return EngineError(
        f"{problem}.",
        "See whether the engine runs there, and listens at this address; or leave this host out.",
        evidence=outcome.evidence,
    )
