"""Who has used how many CPU seconds: the client, each service of the stack, and the engine.

What neither of the first two has used is the engine's: its own processes, those that start
containers, those of its file systems, and the kernel's. On a machine that does something else at
the same time, that counts, too.
"""

import os
import resource
from collections.abc import Mapping
from pathlib import Path

from harness.bench.figures import NAME
from harness.engine.docker import listed

FILES = (
    "/sys/fs/cgroup/cpuacct/docker/{}/cpuacct.usage",
    "/sys/fs/cgroup/system.slice/docker-{}.scope/cpu.stat",
    "/sys/fs/cgroup/docker/{}/cpu.stat",
)
CLIENT, ALL, ENGINE = "client", "all", "engine"


def spent() -> dict[str, float]:
    """CPU seconds so far: of this process's children, of each service, and of the machine."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {CLIENT: children.ru_utime + children.ru_stime}
    for one in listed(NAME):
        service = one.service.partition("-")[0]
        found[service] = found.get(service, 0.0) + _of_container(one.id)
    return {**found, ALL: _of_machine()}


def since(before: Mapping[str, float]) -> dict[str, float]:
    """What was used since then, in the same seconds."""
    used = {who: seconds - before.get(who, 0.0) for who, seconds in spent().items()}
    everybody = used.pop(ALL)
    return {**used, ENGINE: everybody - sum(used.values()), ALL: everybody}


def _of_machine() -> float:
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq")
    words = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    ticks = dict(zip(names, map(int, words), strict=False))
    busy = sum(ticks.values()) - ticks["idle"] - ticks["iowait"]
    return busy / os.sysconf("SC_CLK_TCK")


def _of_container(container: str) -> float:
    for pattern in FILES:
        try:
            text = Path(pattern.format(container)).read_text()
        except OSError:
            continue
        # Version 1 counts nanoseconds, version 2 microseconds.
        return float(text) / 1e9 if text.strip().isdecimal() else float(text.split()[1]) / 1e6
    return 0.0
