"""One check: a workload on a stack, its history, and what is said of it."""

import itertools
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.consistency import history, integrity, judge, known, reading, runner
from harness.consistency.client import Names
from harness.consistency.cluster import Cluster
from harness.consistency.faults import Fault, Injector
from harness.consistency.runner import Settings
from harness.consistency.workloads import WORKLOADS
from harness.core.errors import UsageError
from harness.core.measurements import Progress

# Clients for each replica, unless told otherwise.
CLIENTS = 3


@dataclass(frozen=True, slots=True)
class Checked:
    """A check that was made: its history's file, and what is said of it."""

    path: Path
    header: Mapping[str, Any]
    report: judge.Report


def check(
    workload: str,
    settings: Settings,
    cluster: Cluster,
    folder: Path,
    progress: Progress,
    fault: Fault | None = None,
    defects: Sequence[known.Defect] | None = None,
) -> Checked:
    """Run a workload on a stack that is up; judge it as ``judged`` does. Raises HarnessError."""
    # Runs on a stack that is kept must not meet each other's objects.
    run = secrets.token_hex(3)
    names = Names(f"{settings.seed}/{run}")
    path = folder / f"{workload}-{settings.seed}-{run}.jsonl"
    record = cluster.stack.record
    header = {
        "workload": workload,
        "seed": settings.seed,
        "seconds": settings.seconds,
        "clients": settings.clients,
        "replicas": record.replicas,
        "database": record.database,
        "placements": [placement.title for placement in record.placements],
        "started": round(time.time(), 3),
        "settings": cluster.database_settings(),
        **({"fault": fault.name} if fault else {}),
    }
    # Rows of earlier runs on a stack that was kept, which this run is not to be judged by.
    before = cluster.tables(names)
    writer = history.Writer(path, header, time.perf_counter())
    complete = False
    try:
        with _injecting(fault, settings.seed, cluster, writer):
            runner.run(WORKLOADS[workload], settings, cluster, names, writer, progress)
        for name, rows in cluster.tables(names).items():
            writer.table(name, new_rows(before[name], rows))
        complete = True
    finally:
        writer.close(complete=complete)
    return judged(path, defects)


def new_rows(before: Sequence[Sequence[Any]], after: Iterable[Sequence[Any]]) -> list[Any]:
    """Rows that have been added or changed; equal rows count as often as they are there."""
    old = Counter(map(tuple, before))
    rows = []
    for row in after:
        if old[tuple(row)] > 0:
            old[tuple(row)] -= 1
        else:
            rows.append(row)
    return rows


def _injecting(
    fault: Fault | None, seed: str, cluster: Cluster, writer: history.Writer
) -> AbstractContextManager[object]:
    if fault is None:
        return nullcontext()
    return Injector(fault, cluster, seed, writer.fault, time.perf_counter)


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
        yield from integrity.check(made)

    promises = (*workload.promises, integrity.INTACT)
    recorded = known.Known(first.header, known.record() if defects is None else defects)
    every = itertools.chain([first], parts)
    report = judge.judge_parts(every, promises, checker, workload.kinds, recorded.name)
    return Checked(path, first.header, report)
