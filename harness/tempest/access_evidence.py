"""Reads from the stack's logs which replicas served a run of tempest, and why a test failed."""

from collections.abc import Iterable, Sequence

from harness.core.errors import RunnerError, StackError
from harness.core.evidence import shortened
from harness.core.exchange import Exchange
from harness.core.verdicts import Verdict
from harness.report import terminal
from harness.report.request_stats import Tally
from harness.stack.clients import apache_log, replica_logs
from harness.stack.handle import Stack
from harness.tempest.outcomes import BAD, Test

# Log lines shown of each container.
LOG_LINES = 40
# Verdicts of tests that have sent no request.
UNSENT = frozenset({None, Verdict.SKIPPED})


class Served:
    """The requests that a stack has served since a moment, in seconds since the epoch."""

    def __init__(self, stack: Stack, since: float) -> None:
        self._stack = stack
        self._replicas = [str(number) for number in stack.replicas]
        self._unreadable: StackError | None = None
        self._exchanges: Sequence[Exchange] = ()
        try:
            self._exchanges = apache_log.exchanges(stack.state, since)
        except StackError as error:
            self._unreadable = error
        self._tally = Tally()
        for exchange in self._exchanges:
            self._tally.observe(exchange)

    def summary(self) -> list[str]:
        """Lines with each replica's number of requests, and the latency; empty without requests."""
        return terminal.summary(self._tally, self._replicas) if self._exchanges else []

    def unproven(self) -> str | None:
        """The line about a replica that answered nothing; None if all have answered."""
        return terminal.unproven(self._tally, self._replicas)

    def missing(self, tests: Iterable[Test]) -> RunnerError | None:
        """Return the error of a run without evidence: no log, or no request in the log."""
        sent = sum(test.verdict not in UNSENT for test in tests)
        if self._unreadable is not None:
            return RunnerError(
                "There is no proof that replicas have answered tempest's requests. "
                + self._unreadable.problem,
                self._unreadable.remedy,
            )
        if self._exchanges or not sent:
            return None
        return RunnerError(
            f"There is no proof that replicas have answered tempest's requests: {sent} tests have "
            "run, and Apache's log holds no request to placement.",
            f"See the log: placement-harness logs apache --name {self._stack.name}.",
        )

    def explain(self, tests: Iterable[Test]) -> None:
        """Give each failed test the log lines of the last request of that test."""
        for test in tests:
            requests = [exchange for exchange in self._exchanges if _made_for(exchange, test)]
            if test.verdict in BAD and requests:
                logs = replica_logs.of_exchange(self._stack.state, requests[-1])
                test.logs = _shown(logs.items())


def _made_for(exchange: Exchange, test: Test) -> bool:
    """tempest sends one request at a time: a request served during a test belongs to that test."""
    middle = exchange.started + exchange.seconds / 2
    return test.began <= middle <= test.began + test.seconds


def _shown(logs: Iterable[tuple[str, Sequence[str]]]) -> str:
    lines = []
    for source, written in logs:
        lines += [f"log of {source}:", *shortened(written, LOG_LINES)]
    return "\n".join(lines)
