"""The memory of this machine."""

import os
from pathlib import Path

GIB = 1024**3
MEMINFO = Path("/proc/meminfo")


def available_gib() -> float | None:
    """Memory that programs can have, in GiB; None where the engine's machine may be another one."""
    if os.environ.get("DOCKER_HOST", "unix:").partition(":")[0] != "unix":
        return None
    try:
        lines = MEMINFO.read_text().splitlines()
    except OSError:
        return None
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    size = sizes.get("MemAvailable")
    return None if size is None else size / GIB
