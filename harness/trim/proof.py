"""Proves a trimmed image: everything once more, and checks that were not used while cutting."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.core.evidence import last_lines
from harness.core.measurements import Progress
from harness.core.paths import SUITES
from harness.trim import suites
from harness.trim.journal import Journal
from harness.trim.workspace import Workspace

SECONDS = 900.0
WORKLOAD = "capacity"
RECORDING = "untrimmed.jsonl"
# Concurrent claims while the database is gone, a replica is ended by TERM, or a replica reaches
# neither memcached nor keystone.
FAULTS = ("kill-database", "restart-replica", "cut-replica-keystone")
REPLICAS = ("--stack", "fresh", "--replicas", "3")


@dataclass(frozen=True, slots=True)
class Check:
    """A command that is run with the trimmed image. ``module`` is pytest or harness.cli."""

    title: str
    module: str
    words: tuple[str, ...]


def checks(folder: Path) -> Iterator[Check]:
    gabbits = ("--suite", str(SUITES))
    quick = tuple(word for suite in suites.quick() for word in ("--suite", suite))
    yield Check(
        "all suites on three replicas", "pytest", (*REPLICAS, *gabbits, "--suite", "upstream")
    )
    yield Check(
        "every answer as that of the untrimmed image",
        "pytest",
        (*REPLICAS, *gabbits, f"--parity={folder / RECORDING}"),
    )
    yield Check("etcd as source", "pytest", (*REPLICAS, "--config-source", "etcd", *quick))
    yield Check(
        "placement.conf as source", "pytest", (*REPLICAS, "--config-source", "file", *quick)
    )
    yield Check("as devstack sets it up", "pytest", ("--target", "reference", *quick))
    for fault in FAULTS:
        yield Check(
            f"concurrent writes while: {fault}",
            "harness.cli",
            ("check", "--workload", WORKLOAD, "--fault", fault, "--output", str(folder / "check")),
        )


def record(workspace: Workspace, project: Path) -> Mapping[str, Any]:
    """Record the answers of the untrimmed image."""
    recording = workspace.folder / RECORDING
    recording.unlink(missing_ok=True)
    ran = suites.run(workspace, project, [str(SUITES)], *REPLICAS, f"--record={recording}")
    return {"tests": ran.tests, "failed": [*ran.failed]}


def prove(
    workspace: Workspace, project: Path, journal: Journal, about: Sequence[str], say: Progress
) -> dict[str, str]:
    """Title of each check -> why it failed; empty for a check that passed."""
    verdicts = {}
    for check in checks(workspace.folder):
        say(f"proof: {check.title}")
        verdict = journal.ask(
            f"proof: {check.title}", about, partial(_run, workspace, project, check)
        )
        verdicts[check.title] = verdict["why"]
        say(f"proof: {check.title}: {verdict['why'] or 'passed'}")
    return verdicts


def _run(workspace: Workspace, project: Path, check: Check) -> Mapping[str, Any]:
    more = ("-q", "-p", "no:cacheprovider", "-p", "no:anyio") if check.module == "pytest" else ()
    outcome = workspace.run(project, check.module, *check.words, *more, seconds=SECONDS)
    if outcome.ok:
        return {"why": ""}
    lines = last_lines(outcome.text)
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))] or lines[-1:]
    return {"why": f"exit code {outcome.code}: {'; '.join(failed[:3])}", "lines": lines}
