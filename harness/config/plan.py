"""Everything that is decided about a run, before it begins."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from harness.core.errors import UsageError
from harness.core.words import counted

Lifetime = Literal["fresh", "keep", "reuse", "replace"]
LIFETIMES: tuple[Lifetime, ...] = get_args(Lifetime)

DEFAULT_REPLICAS = 3
# Apache declares this many members of its balancer (services/apache/start.sh).
MAX_REPLICAS = 16
# A lane's replicas take 0.1 GiB each, and the container of each number has 2 GiB for all lanes.
MAX_LANES = 16
# The stack that `keep`, `reuse` and `placement-harness up` share; a fresh one gets a random name.
# NAME_VARIABLE names another one, e.g. where two checkouts or two users keep one each.
SHARED_STACK = "placement-harness"
NAME_VARIABLE = "PLACEMENT_HARNESS_NAME"
# Compose wants such project names; a container's name, with -placement-16, is a name in DNS too.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,46}")
FRESH_NAME = re.compile(rf"{SHARED_STACK}-[0-9a-f]{{6}}")


@dataclass(frozen=True, slots=True)
class Lane:
    """An isolated placement in a stack, with its own schema, replicas and port of Apache's.

    The first lane of a stack is FIRST_LANE. A lane that is named after a profile has replicas that
    are started with that profile's ``environment``.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)


FIRST_LANE = "1"
# Source of a setting that comes from the stack that a run takes over.
ITS_OWN = "its own"


@dataclass(frozen=True, slots=True)
class Plan:
    """A run.

    ``target`` is ``stack``, ``reference``, ``embedded`` or an http(s) URL. ``port`` is Apache's on
    the loopback interface; 0 lets the harness choose one. ``placements`` are the versions,
    checkouts or packages that replicas run, in turn; without any, replicas run the locked release.
    ``constraints`` is a file with the dependencies of these placements. ``release`` is the release
    of the placement at a URL, as the user gives it. ``hosts`` are the engines on which replicas
    take turns, each NAME or NAME=ADDRESS; the first has all else. ``lanes`` are the lanes that
    upstream's suites need; suites that clean up after themselves need none, and share one
    placement. ``profiles`` are
    the configurations that these suites ask for. ``reference`` is set where placement as devstack
    sets it up stands beside the replicas, of which there may be none then. ``sources`` says where
    each setting came from: option, environment, ini or default.
    """

    target: str = "stack"
    replicas: int = DEFAULT_REPLICAS
    lifetime: Lifetime = "fresh"
    name: str = SHARED_STACK
    port: int = 0
    database: str = "mariadb"
    config_source: str = "env"
    placements: tuple[str, ...] = ()
    constraints: str = ""
    release: str = ""
    hosts: tuple[str, ...] = ()
    lanes: tuple[Lane, ...] = ()
    profiles: tuple[str, ...] = ()
    reference: bool = False
    # The user's Compose file, which is merged after the project's files.
    override: Path | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def takes_over(self) -> bool:
        """Whether a stack of this name that was left running is used."""
        return self.lifetime in ("reuse", "replace")

    def asks(self, setting: str) -> bool:
        """Whether the user has given this setting, e.g. the number of replicas."""
        return self.sources.get(setting, "default") not in ("default", ITS_OWN)

    def __post_init__(self) -> None:
        if self.replicas or not self.reference:
            number_of_replicas(self.replicas, f"--replicas {self.replicas}")


# Fields that a run adopts from the stack that it takes over, unless the user gives them
# (``reuse.adopted``).
ADOPTED = (
    *("database", "config_source", "replicas", "placements", "constraints", "hosts", "reference"),
)


def stack_name(name: str) -> str:
    """The name, if a stack can have it. Raises UsageError."""
    if NAME.fullmatch(name):
        return name
    raise UsageError(
        f"A stack cannot be named {name!r}.",
        "Give up to 47 lower-case letters, digits, - and _, a letter or a digit first.",
    )


def counted_replicas(replicas: int) -> str:
    """The number of replicas in words, e.g. "no replicas", "1 replica"."""
    return counted(replicas, "replica") if replicas else "no replicas"


def name_option(name: str) -> str:
    """The option that names this stack in a command; empty for the shared stack."""
    return "" if name == SHARED_STACK else f" --name {name}"


def is_url(target: str) -> bool:
    """Whether a target is an address, and not a name."""
    return target.startswith(("http://", "https://"))


def number_of_replicas(value: object, written: str) -> int:
    """How many replicas a value means that was given as ``written``. Raises UsageError."""
    digits = str(value)
    if digits.isdecimal() and 1 <= int(digits) <= MAX_REPLICAS:
        return int(digits)
    raise UsageError(f"{written} cannot be run.", f"Give a number from 1 to {MAX_REPLICAS}.")
