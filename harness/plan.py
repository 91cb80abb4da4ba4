"""Everything that is decided about a run, before it begins."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from harness.errors import UsageError

Lifetime = Literal["fresh", "keep", "reuse"]
LIFETIMES: tuple[Lifetime, ...] = get_args(Lifetime)

DEFAULT_REPLICAS = 3
# Apache declares this many members of its balancer (services/apache/start.sh).
MAX_REPLICAS = 16
# The stack that `keep`, `reuse` and `placement-harness up` share; a fresh one gets a random name.
SHARED_STACK = "placement-harness"


@dataclass(frozen=True, slots=True)
class Plan:
    """A run. ``sources`` says of each setting where it came from: option, ini, environment, default.

    ``target`` is ``stack``, ``embedded`` or an http(s) URL. ``port`` is Apache's on the loopback
    interface; 0 lets the harness choose one.
    """

    target: str = "stack"
    replicas: int = DEFAULT_REPLICAS
    lifetime: Lifetime = "fresh"
    name: str = SHARED_STACK
    port: int = 0
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= self.replicas <= MAX_REPLICAS:
            raise UsageError(
                f"--replicas {self.replicas} cannot be run.",
                f"Give a number from 1 to {MAX_REPLICAS}.",
            )
