"""Memory of containers.

Where the engine's containers run on this machine, the kernel gives the figures at once, with the
peak. Otherwise the engine gives them, without the peak and after two seconds, since it measures the
use of the processor too.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.core.measurements import Memory
from harness.engine import cgroups
from harness.engine.values import Container, DockerError


def memory(containers: Sequence[Container], root: Path = cgroups.ROOT) -> list[Memory]:
    """Memory of each of these containers that runs; those that cannot be measured are left out."""
    running = [container for container in containers if container.is_running]
    figures: Mapping[str, tuple[int, int | None] | None]
    figures = {container.id: cgroups.memory(container.id, root) for container in running}
    if not all(figures.values()):
        figures = _of_engines(running)
    return [
        Memory(container.service, container.name, *figure)
        for container in running
        if (figure := figures.get(container.id)) is not None
    ]


def _of_engines(containers: Sequence[Container]) -> Mapping[str, tuple[int, None]]:
    figures: dict[str, tuple[int, None]] = {}
    for engine in dict.fromkeys(container.engine for container in containers):
        ids = [container.id for container in containers if container.engine is engine]
        try:
            figures |= {id_: (used, None) for id_, used in engine.memory(ids).items()}
        except DockerError:
            # A run must not fail for missing figures.
            continue
    return figures
