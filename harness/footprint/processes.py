"""The memory of each process of a running stack.

A container is measured by a program in a second container, which sees the processes of the first:
an image of MariaDB has no Python, and the harness may be no user who can read the files of others.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import EngineError
from harness.engine.values import Container, Once
from harness.stack.handle import Stack
from harness.stack.images.catalogue import IMAGES
from harness.stack.model import containers
from harness.stack.model.lanes import SERVICE
from harness.stack.operations.placement_options import PYTHON

SCRIPT = Path(__file__).with_name("processes_probe.py")
SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a container. ``rss`` and ``pss`` are bytes in memory.

    ``pss`` counts a page that n processes share as the n-th part of a page. ``pid`` is the number
    in the container.
    """

    service: str
    pid: int
    command: str
    rss: int
    pss: int


def of_stack(stack: Stack) -> list[Process]:
    """The processes of all containers of a stack that run. Raises EngineError."""
    image = IMAGES[SERVICE].tag(stack.record.placement(1).content)
    running = [part for part in containers.of_stack(stack.state) if part.is_running]
    with ThreadPoolExecutor(2) as pool:
        measured = pool.map(lambda container: _of_container(container, image), running)
        return [process for processes in measured for process in processes]


def _of_container(container: Container, image: str) -> Sequence[Process]:
    once = Once(confined=True, beside=container.id, stdin=SCRIPT.read_bytes())
    outcome = container.engine.run(image, PYTHON, "-", seconds=SECONDS, once=once)
    try:
        rows = json.loads(outcome.out)
    except ValueError:
        raise EngineError(
            f"The processes of {container.name} could not be measured: {outcome.reason}.",
            "The engine has to allow --pid container:ID and the capability SYS_PTRACE.",
            evidence=outcome.evidence,
        ) from None
    return [Process(container.service, *row) for row in rows]
