"""Measures how long a start, a reuse, a tear-down and a test take on this machine.

Whole commands are timed, as users run them, the start of their processes included. Machines are
shared: compare figures of one run of this benchmark, not of two.
"""

import time
from collections.abc import Iterator

from harness.bench.figures import NAME, Measure, command, reported, show, timed
from harness.core.errors import StackError
from harness.core.measurements import Progress
from harness.engine.docker import current
from harness.stack.clients import apache_log
from harness.stack.handle import READY
from harness.stack.images.catalogue import IMAGES
from harness.stack.images.contents import contents_of
from harness.stack.model.state import StackState

ONE_TEST = "gabbits/root.yaml"
REUSES = 5
# Images of a usual stack, whose sizes are printed -> the limit of each in MB.
IMAGE_GOALS = {"placement": "85", "keystone": "", "apache": "", "memcached": "", "mariadb": ""}


def run(starts: int, progress: Progress) -> None:
    """Measure, and print a table of medians and worst values."""
    start = Measure("up: to 200 from all 3 replicas", "s", "6, none above 8")
    down = Measure("down", "s", "2")
    for number in range(starts):
        progress(f"start {number + 1} of {starts}")
        start.values.append(timed("placement-harness", "up", "--replicas", "3"))
        down.values.append(timed("placement-harness", "down"))
    measures = [start, down, *_warm(progress), *_sizes()]
    columns = ("", "median", "worst", "n", "at most")
    show("placement-harness bench", columns, [measure.row() for measure in measures])


def _warm(progress: Progress) -> list[Measure]:
    """Measure reuse, client time and latency on a running stack."""
    reuse = Measure("pytest --stack reuse: to its first request", "s", "1")
    client = Measure("client, a test of gabbits/", "ms", "3")
    latency = Measure("latency p50", "ms")
    pytest = ("pytest", "--replicas", "3", "--stack", "reuse")
    progress("pytest --stack reuse")
    command("placement-harness", "up", "--replicas", "3")
    try:
        for _ in range(REUSES):
            begin = time.time()
            command(*pytest, ONE_TEST)
            reuse.values.append(_first_request(begin) - begin)
        progress("all suites")
        for _ in range(3):
            report = reported(*pytest, "gabbits")
            client.values.append(report["client_ms"])
            latency.values.append(report["latency_ms"]["p50"])
    finally:
        command("placement-harness", "down")
    return [reuse, client, latency]


def _first_request(since: float) -> float:
    """Time of the first request to placement in Apache's log, in seconds since the epoch."""
    for exchange in apache_log.exchanges(StackState(NAME), since):
        if exchange.request.url.startswith("/placement") and READY not in exchange.request.url:
            return exchange.started
    raise StackError("No request reached Apache.", "See placement-harness logs apache.")


def _sizes() -> Iterator[Measure]:
    contents = contents_of(IMAGE_GOALS)
    for name, goal in IMAGE_GOALS.items():
        for image in current().image_details(IMAGES[name].tag(contents.images[name])):
            yield Measure(f"image {name}", "MB", goal, [image.size / 1e6])
