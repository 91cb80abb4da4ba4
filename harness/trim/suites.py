"""Runs suites on a stack whose replicas are on trial, or have been trimmed."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from harness.core.disk import stop_if_full
from harness.core.errors import StackError
from harness.core.evidence import last_lines
from harness.core.paths import SUITES
from harness.trim.workspace import Workspace

# Suites that touch most in the shortest time. A trial runs them before all others.
QUICK = (
    "allocations", "authentication", "candidates-granular", "candidates-traits", "capacity-limits",
    "consumer-types", "content-negotiation", "errors", "mappings", "methods", "reshaper",
    "resource-classes", "resource-provider-aggregates", "resource-provider-tree", "root", "traits",
    "usages-total",
)  # fmt: skip
SECONDS = 900.0
# pytest's exit codes of a run whose tests were run: all passed, some failed.
RAN = (0, 1)


@dataclass(frozen=True, slots=True)
class Ran:
    """Number of tests that ran, and those that did not pass, by their ids."""

    tests: int
    failed: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.failed and self.tests > 0


def quick() -> list[str]:
    return [str(SUITES / f"{name}.yaml") for name in QUICK]


def run(
    workspace: Workspace, project: Path, suites: list[str], *words: str, name: str | None = None
) -> Ran:
    """Run suites with a project. Raises StackError if they could not be run."""
    junit = workspace.folder / "junit.xml"
    junit.unlink(missing_ok=True)
    outcome = workspace.run(
        project,
        "pytest",
        *("-q", "-p", "no:cacheprovider", "-p", "no:anyio", f"--junit-xml={junit}"),
        *(word for suite in suites for word in ("--suite", suite)),
        *words,
        seconds=SECONDS,
        name=name,
    )
    stop_if_full("running suites", outcome)
    if outcome.code not in RAN or not junit.exists():
        raise StackError(
            f"The suites could not be run (exit code {outcome.code}).",
            "The last lines of pytest are below. The verdicts so far are kept.",
            evidence=last_lines(outcome.text),
        )
    ran = _read(junit)
    if outcome.code and not ran.failed:
        # No test has failed, and yet the run has: e.g. a replica has served nothing.
        return Ran(ran.tests, (outcome.reason,))
    return ran


def _read(junit: Path) -> Ran:
    # This process's own pytest has written the file.
    cases = ElementTree.parse(junit).getroot().iter("testcase")  # noqa: S314
    tests, failed = 0, []
    for case in cases:
        tests += 1
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(f"{case.get('classname')}::{case.get('name')}")
    return Ran(tests, tuple(failed))
