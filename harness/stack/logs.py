"""What a stack's containers have said."""

from collections.abc import Mapping, Sequence

from harness.results import Exchange
from harness.stack.commands import run

# Clocks agree on one machine; a container's log driver may lag.
EARLIER_SECONDS = 1.0


def container(stack: str, service: str, replica: int | str | None = None) -> str:
    return f"{stack}-{'placement' if replica else service}-{replica or 1}"


def lines_of(name: str, *, since: float, containing: str) -> list[str]:
    """The lines of one container since a moment (seconds since the epoch) that hold a text."""
    said = run("docker", "logs", "--since", f"{since:.3f}", name, seconds=10)
    return [line for line in (said.out + said.err).splitlines() if containing in line]


def of_exchange(stack: str, exchange: Exchange) -> Mapping[str, Sequence[str]]:
    """What Apache and the replica wrote about one request, found by its id."""
    if exchange.request_id is None:
        return {}
    since = exchange.started - EARLIER_SECONDS
    sources = {"apache": container(stack, "apache")}
    if exchange.replica:
        sources[f"replica {exchange.replica}"] = container(stack, "placement", exchange.replica)
    return {
        source: lines_of(name, since=since, containing=exchange.request_id)
        for source, name in sources.items()
    }
