"""What each container of a stack has in memory.

The kernel's own figures are read where the engine's containers are this machine's: at once, and
with the most there ever was. `docker stats` knows no more, and takes two seconds: it measures the
use of the processor, too.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.core.measurements import Memory
from harness.core.process import run
from harness.engine import cgroups
from harness.engine.docker import Container, listed

UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}
UNITS |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def of_stack(stack: str, root: Path = cgroups.ROOT) -> list[Memory]:
    """What each running container of a stack has. Raises EngineError."""
    running = [one for one in listed(stack) if one.state == "running"]
    found: Mapping[str, tuple[int, int | None] | None]
    found = {one.id: cgroups.memory(one.id, root) for one in running}
    if not all(found.values()):
        found = _engines(running)
    return [
        Memory(one.service, one.name, *figures)
        for one in running
        if (figures := found.get(one.id)) is not None
    ]


def _engines(
    containers: Sequence[Container],
) -> Mapping[str, tuple[int, int | None] | None]:
    if not containers:
        return {}
    said = run(
        *("docker", "stats", "--no-stream", "--no-trunc", "--format", "{{.ID}}\t{{.MemUsage}}"),
        *(one.id for one in containers),
        seconds=30,
    )
    found = {}
    for line in said.out.splitlines():
        container, _, usage = line.partition("\t")
        figure = re.match(r"([\d.]+)([A-Za-z]+) /", usage)
        if figure and figure[2] in UNITS:
            found[container] = (int(float(figure[1]) * UNITS[figure[2]]), None)
    return found
