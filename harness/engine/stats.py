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
from harness.engine.docker import Container, listed

CGROUPS = Path("/sys/fs/cgroup")
# Version 2 of control groups, and version 1; with systemd's names for them, and without.
FOLDERS = ("system.slice/docker-{}.scope", "docker/{}")
V2 = ("", "memory.current", "memory.peak", "inactive_file")
V1 = ("memory", "memory.usage_in_bytes", "memory.max_usage_in_bytes", "total_inactive_file")
UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}
UNITS |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def of_stack(stack: str, root: Path = CGROUPS) -> list[Memory]:
    """What each running container of a stack has. Raises EngineError."""
    running = [one for one in listed(stack) if one.state == "running"]
    found: Mapping[str, tuple[int, int | None] | None]
    found = {one.id: _kernels(root, one.id) for one in running}
    if not all(found.values()):
        found = _engines(running)
    return [
        Memory(one.service, one.name, *figures)
        for one in running
        if (figures := found.get(one.id)) is not None
    ]


def _kernels(root: Path, container: str) -> tuple[int, int | None] | None:
    """Bytes in use, as docker counts them, and the most there ever were, with the files' cache."""
    for folder in FOLDERS:
        for below, current, peak, cache in (V2, V1):
            group = root / below / folder.format(container)
            try:
                used = int((group / current).read_text())
                words = (group / "memory.stat").read_text().split()
            except (OSError, ValueError):
                continue
            try:
                most: int | None = int((group / peak).read_text())
            except (OSError, ValueError):
                # Kernels before 5.19 do not count it in version 2.
                most = None
            # What the kernel would give back at once is no need of the program's.
            idle = int(dict(zip(words[::2], words[1::2], strict=False)).get(cache, 0))
            return max(0, used - idle), most
    return None


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
