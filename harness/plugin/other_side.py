"""The other side of a live comparison: a second target, to which each test is sent as well."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from harness import targets
from harness.config.plan import Plan
from harness.core.errors import UsageError
from harness.core.exchange import Exchange
from harness.plugin.shared_targets import changes, contents
from harness.plugin.side import Side
from harness.plugin.target_starter import Starter
from harness.suites.connection import Wire
from harness.targets.base import PerProcess, Shared, Target

# Key of a worker's share that is for the other side.
OTHER = "other side"


class OtherSide(Side):
    """The other side in one process; keeps the exchanges of the running test."""

    def __init__(self, plan: Plan, worker: str = "") -> None:
        super().__init__(plan, Wire(), worker)
        self.kind = targets.kind_of(plan).name
        self.stream.subscribe(self)
        self._exchanges: list[Exchange] = []
        self._watched: list[tuple[Shared, Mapping[str, str] | None]] = []

    def observe(self, exchange: Exchange) -> None:
        self._exchanges.append(exchange)

    def take(self) -> list[Exchange]:
        """The exchanges since the last call."""
        exchanges, self._exchanges = self._exchanges, []
        return exchanges

    def watch(self, *watched: Target) -> None:
        """Remember the contents of those targets that others use as well."""
        self._watched = [
            (target, contents(target)) for target in watched if isinstance(target, Shared)
        ]

    def changes(self) -> list[str]:
        """Lines on what has changed in the watched targets."""
        return [
            f"{target.url}: {line}"
            for target, before in self._watched
            for line in changes(before, contents(target))
        ]


class OtherOwner:
    """Starts and stops the other side's target, in the process that owns the run.

    ``in_workers`` is set where xdist's workers run the tests, and not this process.
    """

    def __init__(
        self,
        side: OtherSide,
        main: Target,
        progress: Callable[[str], None],
        *,
        in_workers: bool,
    ) -> None:
        self.side = side
        self.target = targets.make_beside(side.plan, main, progress)
        self._starter = Starter(self.target, in_workers=in_workers)
        self._in_workers = in_workers

    def begin(self) -> None:
        """Start the target, in a thread, unless each worker starts its own."""
        self._starter.begin()

    def wait(self, main: Target, glance: Callable[[], None]) -> None:
        """Return when the target is up. Raises HarnessError, also where it is the main one."""
        self._starter.wait(glance)
        if not isinstance(self.target, PerProcess) and _place(self.target) == _place(main):
            raise UsageError(
                f"--parity {self.side.plan.target} compares {main.url} with itself.",
                "Give --parity the address of another placement.",
            )
        self.side.watch(main, self.target)
        if not self._in_workers:
            self.side.connect(self.target)

    def share(self, worker: int) -> Mapping[str, object]:
        return self.target.share(worker)

    def stop(self, glance: Callable[[], None]) -> None:
        self.side.disconnect()
        self._starter.stop(glance)


def _place(target: Target) -> tuple[str, int | None, str]:
    """Where a target is, however its address is written."""
    parts = urlsplit(target.url)
    host = parts.hostname or ""
    return "127.0.0.1" if host in ("localhost", "::1") else host, parts.port, parts.path
