"""What the stack itself says of a run under tempest: who answered, and why a test failed."""

from collections.abc import Iterable, Sequence

from harness.core.exchange import Exchange
from harness.report import terminal
from harness.report.request_stats import Tally
from harness.stack.clients import apache_log, replica_logs
from harness.stack.handle import Stack
from harness.tempest.outcomes import BAD, Test

# Of any one source.
LOG_LINES = 40


class Served:
    """The requests that a stack has served since a moment, in seconds since the epoch."""

    def __init__(self, stack: Stack, since: float) -> None:
        self._stack = stack
        self._replicas = [str(number) for number in stack.replicas]
        self._exchanges = apache_log.exchanges(stack.name, since)
        self._tally = Tally()
        for exchange in self._exchanges:
            self._tally.observe(exchange)

    def summary(self) -> list[str]:
        """Who answered how many requests, and how fast."""
        return terminal.summary(self._tally, self._replicas) if self._exchanges else []

    def unproven(self) -> str | None:
        """Why the run does not prove what it should: a replica that answered nothing."""
        return terminal.unproven(self._tally, self._replicas)

    def explain(self, tests: Iterable[Test]) -> None:
        """Give each test that failed the log lines of the last request that was made for it."""
        for test in tests:
            mine = [one for one in self._exchanges if _made_for(one, test)]
            if test.verdict in BAD and mine:
                test.logs = _shown(replica_logs.of_exchange(self._stack.name, mine[-1]).items())


def _made_for(exchange: Exchange, test: Test) -> bool:
    """tempest makes one request after the other: what was served during a test was for it."""
    middle = exchange.started + exchange.seconds / 2
    return test.began <= middle <= test.began + test.seconds


def _shown(found: Iterable[tuple[str, Sequence[str]]]) -> str:
    lines = []
    for source, its in found:
        left = len(its) - LOG_LINES
        lines += [f"log of {source}:", *(["..."] if left > 0 else []), *its[-LOG_LINES:]]
    return "\n".join(lines)
