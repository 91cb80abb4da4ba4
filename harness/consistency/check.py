"""One check: workloads on a stack, their histories, and what is said of them."""

import itertools
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.consistency import history, integrity, judge, known, reading, runner
from harness.consistency.client import Names
from harness.consistency.cluster import Cluster, new_rows, shared_out
from harness.consistency.faults import Audience, Fault, Injector
from harness.consistency.runner import Doors, Settings, Task
from harness.consistency.workloads import WORKLOADS
from harness.core.errors import UsageError
from harness.core.measurements import Progress

# Clients for each replica, unless told otherwise.
CLIENTS = 3
# Clients of each of several workloads side by side: reshapes and races need two pairs.
CLIENTS_BESIDE = 4


class Place(Doors, Protocol):
    """The thing that is checked, as a check needs it."""

    def facts(self) -> Mapping[str, Any]:
        """Its entries in a history's header."""

    def rows(self) -> Mapping[str, Sequence[Sequence[Any]]]:
        """Rows as ``cluster.TABLES`` has them, or some of the tables."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A check that was made: its history's file, and what is said of it."""

    path: Path
    header: Mapping[str, Any]
    report: judge.Report


def check(
    workloads: Sequence[str],
    settings: Settings,
    place: Place,
    folder: Path,
    progress: Progress,
    faults: Sequence[Fault] = (),
    defects: Sequence[known.Defect] | None = None,
) -> list[Checked]:
    """Run workloads side by side, and judge each as ``judged`` does. Raises HarnessError.

    Faults strike all of them; each is injected once at least, however long that takes.
    """
    # Runs on a stack that is kept must not meet each other's objects.
    run = secrets.token_hex(3)
    facts = {
        "seed": settings.seed,
        "seconds": settings.seconds,
        "clients": settings.clients,
        "started": round(time.time(), 3),
        **place.facts(),
        **({"faults": [fault.name for fault in faults]} if faults else {}),
        **({"beside": [*workloads]} if len(workloads) > 1 else {}),
    }
    # Rows of earlier runs on a stack that was kept, which this run is not to be judged by.
    before = place.rows()
    begin = time.perf_counter()
    tasks, paths = [], []
    for name in workloads:
        path = folder / f"{name}-{settings.seed}-{run}.jsonl"
        writer = history.Writer(path, {"workload": name, **facts}, begin)
        names = Names(f"{settings.seed}/{run}/{name}")
        tasks.append(Task(WORKLOADS[name], names, writer))
        paths.append(path)
    complete = False
    try:
        with _injecting(faults, settings.seed, place, tasks) as may_end:
            runner.run(tasks, settings, place, progress, may_end)
        _write_rows(tasks, before, place.rows())
        complete = True
    finally:
        for task in tasks:
            task.writer.close(complete=complete)
    return [judged(path, defects) for path in paths]


def _write_rows(
    tasks: Sequence[Task],
    before: Mapping[str, Sequence[Sequence[Any]]],
    after: Mapping[str, Sequence[Sequence[Any]]],
) -> None:
    """Write the rows that a run has changed into the histories of its workloads."""
    names = [task.names for task in tasks]
    for table, rows in after.items():
        shares = shared_out(new_rows(before.get(table, ()), rows), names)
        for task, share in zip(tasks, shares, strict=True):
            task.writer.table(table, share)


@contextmanager
def _injecting(
    faults: Sequence[Fault], seed: str, place: Place, tasks: Sequence[Task]
) -> Iterator[Callable[[], bool]]:
    """Inject faults in the block; gives whether each of them was injected."""
    if not faults:
        yield runner.at_once
        return
    if not isinstance(place, Cluster):
        raise UsageError("Faults need a stack.", "Leave --fault away.")

    audience = Audience([task.writer for task in tasks])
    with Injector(faults, place, seed, audience, time.perf_counter) as injector:
        yield injector.has_injected_all


def judged(path: Path, defects: Sequence[known.Defect] | None = None) -> Checked:
    """Judge a saved history, by the record of known defects or another one. Raises UsageError."""
    parts = reading.parts(path)
    first = next(parts)
    name = str(first.header.get("workload"))
    if name not in WORKLOADS:
        raise UsageError(
            f"{path} is a history of the workload {name}, which this version does not have.",
            f"It has {', '.join(WORKLOADS)}.",
        )
    workload = WORKLOADS[name]

    def checker(made: history.History) -> Iterator[judge.Violation]:
        yield from workload.check(made)
        if not on_cloud:
            yield from integrity.check(made)

    # Only a database shows rows that refer to nothing.
    on_cloud = "target" in first.header
    promises = (*workload.promises, *(() if on_cloud else (integrity.INTACT,)))
    recorded = known.Known(first.header, known.record() if defects is None else defects)
    every = itertools.chain([first], parts)
    report = judge.judge_parts(
        every, promises, checker, workload.kinds, recorded.name, workload.key
    )
    return Checked(path, first.header, report)
