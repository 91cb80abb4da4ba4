"""Time as a value that is passed down."""

import time
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment by which something must have happened. Seconds; monotonic."""

    began: float
    seconds: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic(), seconds)

    @property
    def waited(self) -> float:
        return time.monotonic() - self.began

    @property
    def left(self) -> float:
        return max(0.0, self.seconds - self.waited)

    @property
    def passed(self) -> bool:
        return self.left == 0.0

    def every(self, interval: float) -> Iterator[float]:
        """Yield the seconds waited, again and again until the deadline has passed."""
        while not self.passed:
            yield self.waited
            time.sleep(min(interval, self.left))
