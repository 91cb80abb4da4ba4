"""Measures the CPU seconds of the client, of each service of the stack, and of the engine.

The engine's are the remainder of the machine's: its own processes, those that start containers,
those of its file systems, and the kernel. Other work on the machine is counted as the engine's.
"""

import os
import resource
from collections.abc import Mapping
from pathlib import Path

from harness.bench.figures import NAME
from harness.engine import cgroups
from harness.stack.model import containers
from harness.stack.model.state import StackState

CLIENT, ALL, ENGINE = "client", "all", "engine"


def spent() -> dict[str, float]:
    """CPU seconds so far of this process's children, of each service, and of the machine."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = {CLIENT: children.ru_utime + children.ru_stime}
    for container in containers.of_stack(StackState(NAME)):
        service = container.service.partition("-")[0]
        seconds = cgroups.cpu_seconds(container.id) or 0.0
        used[service] = used.get(service, 0.0) + seconds
    return {**used, ALL: _of_machine()}


def since(before: Mapping[str, float]) -> dict[str, float]:
    """CPU seconds since an earlier result of ``spent``, by the same names, and the engine's."""
    used = {name: seconds - before.get(name, 0.0) for name, seconds in spent().items()}
    total = used.pop(ALL)
    return {**used, ENGINE: total - sum(used.values()), ALL: total}


def _of_machine() -> float:
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq")
    words = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    ticks = dict(zip(names, map(int, words), strict=False))
    busy = sum(ticks.values()) - ticks["idle"] - ticks["iowait"]
    return busy / os.sysconf("SC_CLK_TCK")
