"""Counts who answered how many requests, and how long that took."""

from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.exchange import Exchange

# With fewer requests than this for each replica, that one got none may be chance.
FAIR_SHARE = 2


@dataclass(frozen=True, slots=True)
class Latency:
    """Times until the whole answer was there, in milliseconds."""

    p50: float
    p95: float
    p99: float
    longest: float


class Tally:
    """What a run counts. Four bytes a request; workers' tallies are added up by ``merge``."""

    def __init__(self) -> None:
        # Keys are numbers of replicas, '' where the answer does not say, None where none came.
        self._seconds: dict[str | None, array[float]] = {}
        self.tests = 0
        # Seconds from the first step of each test to its last, added up.
        self.testing = 0.0
        # Seconds for finding and reading suites.
        self.collecting = 0.0

    def observe(self, exchange: Exchange) -> None:
        key = None if exchange.response is None else exchange.replica or ""
        if key not in self._seconds:
            self._seconds[key] = array("f")
        self._seconds[key].append(exchange.seconds)

    def test(self, seconds: float) -> None:
        self.tests += 1
        self.testing += seconds

    @property
    def requests(self) -> int:
        return sum(map(len, self._seconds.values()))

    @property
    def unanswered(self) -> int:
        return len(self._seconds.get(None, ()))

    @property
    def waiting(self) -> float:
        """Seconds spent waiting for answers."""
        return sum(map(sum, self._seconds.values()), 0.0)

    @property
    def client(self) -> float:
        """Seconds of work on the client's side for each test, suites read included."""
        return (self.testing + self.collecting - self.waiting) / self.tests if self.tests else 0.0

    def by_replica(self, replicas: Iterable[str]) -> dict[str, int]:
        """The number of answers of each of these replicas, and of any other that answered."""
        found = {key for key in self._seconds if key}
        return {
            key: len(self._seconds.get(key, ()))
            for key in sorted({*replicas, *found}, key=lambda key: (len(key), key))
        }

    def silent(self, replicas: Iterable[str]) -> list[str]:
        """The replicas that answered nothing."""
        return [key for key in replicas if not self._seconds.get(key)]

    def asked_of(self, replicas: Collection[str]) -> int:
        """The requests that these replicas have had; those that nobody claims are theirs, too,
        where there are no others."""
        alone = not {key for key in self._seconds if key} - set(replicas)
        return self.requests if alone else sum(len(self._seconds.get(key, ())) for key in replicas)

    def enough_for(self, replicas: Collection[str]) -> bool:
        """Whether so much was asked of them that every one should have answered."""
        return self.asked_of(replicas) >= FAIR_SHARE * len(replicas)

    def latency(self) -> Latency | None:
        """None when nothing was answered."""
        times = sorted(
            time for key, each in self._seconds.items() if key is not None for time in each
        )
        if not times:
            return None
        p50, p95, p99 = (times[min(len(times) - 1, len(times) * p // 100)] for p in (50, 95, 99))
        return Latency(p50 * 1000, p95 * 1000, p99 * 1000, times[-1] * 1000)

    def dump(self) -> dict[str, Any]:
        """All of it as plain data, for another process."""
        return {
            "seconds": [[key, each.tobytes()] for key, each in self._seconds.items()],
            "tests": self.tests,
            "testing": self.testing,
            "collecting": self.collecting,
        }

    def merge(self, dumped: Mapping[str, Any]) -> None:
        """Add what another process counted; processes read suites side by side."""
        for key, data in dumped["seconds"]:
            if key not in self._seconds:
                self._seconds[key] = array("f")
            self._seconds[key].frombytes(data)
        self.tests += dumped["tests"]
        self.testing += dumped["testing"]
        self.collecting = max(self.collecting, dumped["collecting"])
