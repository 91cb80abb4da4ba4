"""Facts about a run besides its exchanges: progress, settings, start-up time, memory."""

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
    """Memory of one container, in bytes.

    ``used`` is what docker counts. ``most`` is the peak, the page cache included; None where the
    kernel does not count it.
    """

    service: str
    container: str
    used: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Measures:
    """Cost of a target.

    ``start_up`` is the time in seconds until it served requests; None if it ran before.
    """

    start_up: float | None
    memory: Sequence[Memory] = ()
