"""Counts the requests that each replica answered, and their times."""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.exchange import Exchange

# With fewer requests than this for each replica, a replica without any may be chance.
FAIR_SHARE = 2


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of the time until the whole answer was there, in milliseconds."""

    p50: float
    p95: float
    p99: float
    longest: float


class Tally:
    """Counts of a run, with four bytes a request. ``merge`` adds up the tallies of workers."""

    def __init__(self) -> None:
        # Names of replicas -> times. The key is '' for answers that name no replica, and None for
        # requests without an answer.
        self._seconds: dict[str | None, array[float]] = {}
        # Answers that a proxy in front of placement gave itself, by their status.
        self.of_proxy: Counter[int] = Counter()
        # Requests whose connection the server closed without an answer.
        self.closed = 0
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
        if exchange.response is not None and exchange.is_of_proxy:
            self.of_proxy[exchange.response.status] += 1
        self.closed += exchange.is_closed

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
        answering = {key for key in self._seconds if key}
        return {
            key: len(self._seconds.get(key, ()))
            for key in sorted({*replicas, *answering}, key=lambda key: (len(key), key))
        }

    def silent(self, replicas: Iterable[str]) -> list[str]:
        """The replicas that answered nothing."""
        return [key for key in replicas if not self._seconds.get(key)]

    def asked_of(self, replicas: Iterable[str]) -> int:
        """The number of requests that these replicas have answered."""
        return sum(len(self._seconds.get(key, ())) for key in replicas)

    @property
    def of_no_replica(self) -> int:
        """The number of answers that name no replica: a stack's Apache gave them itself."""
        return len(self._seconds.get("", ()))

    def enough_for(self, replicas: Collection[str]) -> bool:
        """Whether these replicas have had so many requests that each should have answered some."""
        return self.asked_of(replicas) >= FAIR_SHARE * len(replicas)

    def latency(self) -> Latency | None:
        """Latency of all answers; None if there are none."""
        times = sorted(
            time for key, each in self._seconds.items() if key is not None for time in each
        )
        if not times:
            return None
        p50, p95, p99 = (times[min(len(times) - 1, len(times) * p // 100)] for p in (50, 95, 99))
        return Latency(p50 * 1000, p95 * 1000, p99 * 1000, times[-1] * 1000)

    def dump(self) -> dict[str, Any]:
        """The whole tally as plain data, for another process."""
        return {
            "seconds": [[key, each.tobytes()] for key, each in self._seconds.items()],
            "of_proxy": dict(self.of_proxy),
            "closed": self.closed,
            "tests": self.tests,
            "testing": self.testing,
            "collecting": self.collecting,
        }

    def merge(self, dumped: Mapping[str, Any]) -> None:
        """Add the tally of another process.

        Processes read suites at the same time, so ``collecting`` is not added up.
        """
        for key, data in dumped["seconds"]:
            if key not in self._seconds:
                self._seconds[key] = array("f")
            self._seconds[key].frombytes(data)
        self.of_proxy.update(dumped["of_proxy"])
        self.closed += dumped["closed"]
        self.tests += dumped["tests"]
        self.testing += dumped["testing"]
        self.collecting = max(self.collecting, dumped["collecting"])
