"""Everything that is decided about a run, before it begins."""

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, get_args
from urllib.parse import urlsplit

from harness.errors import UsageError

Lifetime = Literal["fresh", "keep", "reuse"]
LIFETIMES: tuple[Lifetime, ...] = get_args(Lifetime)

DEFAULT_REPLICAS = 3
# Apache declares this many members of its balancer (services/apache/start.sh).
MAX_REPLICAS = 16
# The stack that `keep`, `reuse` and `placement-harness up` share; a fresh one gets a random name.
# NAME_VARIABLE names another one, e.g. where two checkouts or two users keep one each.
SHARED_STACK = "placement-harness"
NAME_VARIABLE = "PLACEMENT_HARNESS_NAME"
# Compose wants such project names; a container's name, with -placement-16, is a name in DNS too.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,46}")

# Option, environment variable and ini setting are made of these names.
SETTINGS = ("target", "replicas", "stack", "stack_port")
DEFAULTS = {
    "target": "stack",
    "replicas": str(DEFAULT_REPLICAS),
    "stack": "fresh",
    "stack_port": "0",
}
# What other targets cannot be told.
OF_A_STACK = {"replicas": "replicas to start", "stack": "a lifetime", "stack_port": "a port"}


@dataclass(frozen=True, slots=True)
class Lane:
    """An isolated placement in a stack: a schema, replicas and a port of Apache's of its own.

    The first one of a stack is FIRST_LANE; one that is named after a profile has replicas that are
    started with that profile's ``environment``.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)


FIRST_LANE = "1"


@dataclass(frozen=True, slots=True)
class Plan:
    """A run.

    ``target`` is ``stack``, ``embedded`` or an http(s) URL. ``port`` is Apache's on the loopback
    interface; 0 lets the harness choose one. ``lanes`` are those that upstream's suites need:
    none for suites that clean up after themselves, which share one placement. ``profiles`` are the
    configurations that these suites ask for. ``sources`` says of each of SETTINGS where it came
    from: option, environment, ini or default.
    """

    target: str = "stack"
    replicas: int = DEFAULT_REPLICAS
    lifetime: Lifetime = "fresh"
    name: str = SHARED_STACK
    port: int = 0
    lanes: tuple[Lane, ...] = ()
    profiles: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= self.replicas <= MAX_REPLICAS:
            raise _no_replicas(f"--replicas {self.replicas}")


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
    targets: Collection[str],
) -> Plan:
    """The plan of a run: an option wins over the environment, that over ini, that over defaults.

    The mappings' keys are SETTINGS, for ``environ`` PLACEMENT_HARNESS_REPLICAS and so on;
    ``targets`` are the names that a target can have. Raises UsageError for values without sense.
    """
    given = {name: _first(name, options, environ, ini) for name in SETTINGS}
    target = _target(given["target"], targets)
    lifetime = _lifetime(given["stack"])
    for name, what in OF_A_STACK.items():
        if given[name].source == "option" and _alone(target):
            raise UsageError(
                f"{given[name].written} makes no sense with {given['target'].written}: "
                f"only a stack has {what}.",
                "Leave one of the two away.",
            )
    return Plan(
        target=target,
        replicas=_replicas(given["replicas"]),
        lifetime=lifetime,
        name=f"{SHARED_STACK}-{secrets.token_hex(3)}"
        if lifetime == "fresh"
        else stack_name(environ.get(NAME_VARIABLE) or SHARED_STACK),
        port=_port(given["stack_port"]),
        sources={name: one.source for name, one in given.items()},
    )


def stack_name(name: str) -> str:
    """The name, if a stack can have it. Raises UsageError."""
    if NAME.fullmatch(name):
        return name
    raise UsageError(
        f"A stack cannot be named {name!r}.",
        "Give up to 47 lower-case letters, digits, - and _, a letter or a digit first.",
    )


def counted(replicas: int) -> str:
    """How many replicas, in words."""
    return f"{replicas} replica" if replicas == 1 else f"{replicas} replicas"


def name_option(name: str) -> str:
    """How a command of placement-harness names this stack: nothing for the usual one."""
    return "" if name == SHARED_STACK else f" --name {name}"


def is_url(target: str) -> bool:
    """Whether a target is an address, and not a name."""
    return target.startswith(("http://", "https://"))


def _first(
    name: str,
    options: Mapping[str, str | None],
    environ: Mapping[str, str],
    ini: Mapping[str, str | None],
) -> _Given:
    variable, setting = f"PLACEMENT_HARNESS_{name.upper()}", f"placement_{name}"
    value = options.get(name)
    if value is not None:
        return _Given(value, "option", f"--{name.replace('_', '-')} {value}")
    if environ.get(variable):
        return _Given(environ[variable], "environment", f"{variable}={environ[variable]}")
    value = ini.get(name)
    if value:
        return _Given(value, "ini", f"{setting} = {value}")
    return _Given(DEFAULTS[name], "default", f"--{name.replace('_', '-')} {DEFAULTS[name]}")


def _target(given: _Given, known: Collection[str]) -> str:
    value = given.value
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
            f"{given.written} is not a whole URL.",
            "Give placement's address, e.g. http://127.0.0.1:8778/placement.",
        )
    close = get_close_matches(value, known, n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    raise UsageError(
        f"{given.written}: there is no such target.",
        f"{hint}Give {', '.join(sorted(known))}, or an http(s) URL.",
    )


def _alone(target: str) -> bool:
    """Whether a target is what it is, and cannot be told what a stack can."""
    return target == "embedded" or is_url(target)


def _lifetime(given: _Given) -> Lifetime:
    if given.value in LIFETIMES:
        return given.value
    close = get_close_matches(given.value, LIFETIMES, n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    raise UsageError(
        f"{given.written}: a stack has no such lifetime.", f"{hint}Give {', '.join(LIFETIMES)}."
    )


def _replicas(given: _Given) -> int:
    try:
        count = int(given.value)
    except ValueError:
        count = 0
    if not 1 <= count <= MAX_REPLICAS:
        raise _no_replicas(given.written)
    return count


def _no_replicas(written: str) -> UsageError:
    return UsageError(f"{written} cannot be run.", f"Give a number from 1 to {MAX_REPLICAS}.")


def _port(given: _Given) -> int:
    if given.value.isdecimal() and int(given.value) < 65536:
        return int(given.value)
    raise UsageError(
        f"{given.written} is no port.", "Give a number from 1 to 65535, or 0 to have one chosen."
    )
