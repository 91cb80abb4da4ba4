"""What a run says of itself besides its exchanges: progress, settings, start-up, memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

# Takes one line for each step of something that takes long.
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the header: what is run, and where that came from (option, ini, default, ...)."""

    name: str
    value: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """What one container has in memory: ``used`` bytes as docker counts them, and the most there
    ever were, the files' cache included; None where nobody counts that."""

    service: str
    container: str
    used: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Measures:
    """What a target costs. ``start_up`` is the seconds until it served; None when it ran before."""

    start_up: float | None
    memory: Sequence[Memory] = ()
