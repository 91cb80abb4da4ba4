"""Reads memory and CPU time of containers from the kernel's control groups, versions 1 and 2.

Reading takes no time where the engine's containers run on this machine. For containers elsewhere,
each function returns None.
"""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
# Names of a container's group below its controller: with systemd, and without.
FOLDERS = ("system.slice/docker-{}.scope", "docker/{}")
# Files of version 2 and of version 1: controller, memory in use, its peak, reclaimable cache.
MEMORY = (
    ("", "memory.current", "memory.peak", "inactive_file"),
    ("memory", "memory.usage_in_bytes", "memory.max_usage_in_bytes", "total_inactive_file"),
)


def memory(container: str, root: Path = ROOT) -> tuple[int, int | None] | None:
    """Bytes in use, as docker counts them, and their peak, which includes the page cache.

    The peak is None on kernels before 5.19, which do not count it in version 2.
    """
    for controller, current, peak, cache in MEMORY:
        for group in _groups(root / controller, container):
            try:
                used = int((group / current).read_text())
                words = (group / "memory.stat").read_text().split()
            except (OSError, ValueError):
                continue
            # The kernel gives the inactive cache back at once: a program does not need it.
            idle = int(dict(zip(words[::2], words[1::2], strict=False)).get(cache, 0))
            return max(0, used - idle), _number(group / peak)
    return None


def cpu_seconds(container: str, root: Path = ROOT) -> float | None:
    """CPU seconds, user and system, since the container was started."""
    for group in _groups(root / "cpuacct", container):
        nanoseconds = _number(group / "cpuacct.usage")
        if nanoseconds is not None:
            return nanoseconds / 1e9
    for group in _groups(root, container):
        try:
            # The first line: usage_usec MICROSECONDS.
            return int((group / "cpu.stat").read_text().split()[1]) / 1e6
        except (OSError, ValueError, IndexError):
            continue
    return None


def _groups(root: Path, container: str) -> Iterator[Path]:
    return (root / folder.format(container) for folder in FOLDERS)


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
