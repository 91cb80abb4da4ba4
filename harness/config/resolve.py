"""Options, environment and ini settings become a plan."""

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from harness.config.options import SETTINGS, ini_name, option, variable
from harness.config.plan import (
    LIFETIMES,
    NAME_VARIABLE,
    SHARED_STACK,
    Plan,
    is_url,
    number_of_replicas,
    stack_name,
)
from harness.core.errors import UsageError
from harness.core.paths import override_file

T = TypeVar("T", bound=str)

# Settings that only a stack has.
OF_A_STACK = {
    "replicas": "replicas to start",
    "stack": "a lifetime",
    "stack_port": "a port to choose",
    "database": "a database to choose",
    "config_source": "a configuration to choose",
    "placement": "a placement to choose",
    "placement_constraints": "dependencies to choose",
    "host": "hosts to choose",
}
# The settings among them that are of replicas, or of the proxy before them.
OF_REPLICAS = frozenset({"replicas", "stack_port", "config_source", "host"})
# The character between several placements in a variable or an ini setting.
BETWEEN = ","


@dataclass(frozen=True, slots=True)
class _Given:
    """A setting's value, where it came from, and how the user wrote it."""

    value: str
    source: str
    written: str


def resolve(
    options: Mapping[str, str | None],
    environ: Mapping[str, str],
    ini: Mapping[str, str | None],
    choices: Mapping[str, Collection[str]],
    directory: Path | None = None,
) -> Plan:
    """The plan of a run. Options win over the environment, then ini settings, then defaults.

    The mappings' keys are SETTINGS, for ``environ`` PLACEMENT_HARNESS_REPLICAS and so on.
    ``choices`` holds the names that a target, a database and a config_source can have, and under
    ``stack_options`` the targets that take the options of a stack, under ``without_replicas`` those
    of them whose stack has no replicas. compose.override.yaml is looked for in ``directory``, or
    else in the current directory. Raises UsageError for values that make no sense.
    """
    given = {name: _first(name, options, environ, ini) for name in SETTINGS}
    target = target_named(given["target"].value, given["target"].written, choices["target"])
    lifetime = one_of(LIFETIMES, given["stack"].value, given["stack"].written, "lifetime")
    alone = target in choices["without_replicas"]
    for name, what in OF_A_STACK.items():
        fits = target in choices["stack_options"] and not (alone and name in OF_REPLICAS)
        if given[name].source == "option" and not fits:
            raise UsageError(
                f"{given[name].written} makes no sense with {given['target'].written}: "
                f"only a stack has {what}.",
                "Leave one of the two away.",
            )
    sources = {name: setting.source for name, setting in given.items()}
    return Plan(
        target=target,
        replicas=0 if alone else _replicas(given["replicas"]),
        reference=alone,
        lifetime=lifetime,
        name=f"{SHARED_STACK}-{secrets.token_hex(3)}"
        if lifetime == "fresh"
        else stack_name(environ.get(NAME_VARIABLE) or SHARED_STACK),
        port=0 if alone else _port(given["stack_port"]),
        database=_choice("database", given, choices),
        config_source="env" if alone else _choice("config_source", given, choices),
        placements=tuple(filter(None, given["placement"].value.split(BETWEEN))),
        constraints=given["placement_constraints"].value,
        release=_release(given["release"], target),
        hosts=() if alone else tuple(filter(None, given["host"].value.split(BETWEEN))),
        # The ini settings of replicas are for other runs.
        sources=sources | dict.fromkeys(OF_REPLICAS, "default") if alone else sources,
        override=override_file(directory) if target in choices["stack_options"] else None,
    )


def _first(
    name: str,
    options: Mapping[str, str | None],
    environ: Mapping[str, str],
    ini: Mapping[str, str | None],
) -> _Given:
    value = options.get(name)
    if value is not None:
        return _Given(value, "option", f"{option(name)} {value}")
    value = environ.get(variable(name))
    if value:
        return _Given(value, "environment", f"{variable(name)}={value}")
    value = ini.get(name)
    if value:
        return _Given(value, "ini", f"{ini_name(name)} = {value}")
    default = SETTINGS[name].default
    return _Given(default, "default", f"{option(name)} {default}")


def target_named(value: str, written: str, known: Collection[str]) -> str:
    """The target, a known one or a URL, that was given as ``written``. Raises UsageError."""
    if value in known:
        return value
    if is_url(value):
        try:
            parts = urlsplit(value)
            # Reading the port is what checks it.
            whole = bool(parts.hostname) and parts.port != 0
        except ValueError:
            whole = False
        if whole:
            return value.rstrip("/")
        raise UsageError(
            f"{written} is not a whole URL.",
            "Give placement's address, e.g. http://127.0.0.1:8778/placement.",
        )
    raise UsageError(
        f"{written}: there is no such target.",
        f"{_hint(value, known)}Give {_listed(sorted(known))}, or an http(s) URL.",
    )


def one_of(known: Collection[T], value: str, written: str, what: str) -> T:
    """The value, if it is known. Raises UsageError that suggests the nearest known value."""
    for name in known:
        if name == value:
            return name
    raise UsageError(
        f"{written}: there is no such {what}.", f"{_hint(value, known)}Give {_listed(known)}."
    )


def _choice(name: str, given: Mapping[str, _Given], choices: Mapping[str, Collection[str]]) -> str:
    setting = given[name]
    return one_of(choices[name], setting.value, setting.written, name.replace("_", " "))


def _hint(value: str, known: Collection[str]) -> str:
    close = get_close_matches(value, known, n=1)
    return f"Did you mean {close[0]}? " if close else ""


def _listed(known: Collection[str]) -> str:
    return ", ".join(known)


def _replicas(given: _Given) -> int:
    return number_of_replicas(given.value.strip(), given.written)


def _release(given: _Given, target: str) -> str:
    if given.source == "option" and not is_url(target):
        raise UsageError(
            f"{given.written} makes no sense with the target {target}, whose release is known.",
            "Leave it away; --placement chooses what a stack runs.",
        )
    if given.value and not re.fullmatch(r"\d+(\.\d+)*([a-z.]+\d+)*", given.value):
        raise UsageError(f"{given.written} is no release.", "Give a version, e.g. 15.0.0.")
    return given.value


def _port(given: _Given) -> int:
    if given.value.isdecimal() and int(given.value) < 65536:
        return int(given.value)
    raise UsageError(
        f"{given.written} is no port.", "Give a number from 1 to 65535, or 0 to have one chosen."
    )
