"""--consistency: a test for each workload of concurrent calls, in place of suites."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from harness.consistency import check, text
from harness.consistency.cluster import Cluster
from harness.consistency.judge import Judgement, known_names
from harness.consistency.runner import Settings
from harness.consistency.workloads import WORKLOADS
from harness.core.errors import UsageError
from harness.plugin.controller import Owner
from harness.targets.stack import StackTarget

FOLDER = "placement-check"
# Time that each workload runs. Seconds.
SECONDS = 6.0


class BrokenPromiseError(Exception):
    """A workload whose promises were not all held; the text says which, and shows the calls."""


class ConsistencyTests:
    """Replaces the collected tests by one for each workload."""

    def __init__(self, run: Owner, folder: Path, seconds: float = SECONDS) -> None:
        self.run = run
        self.folder = folder / FOLDER
        self.seconds = seconds
        self.seed = secrets.token_hex(3)

    # First, so that -k and --deselect choose among these tests.
    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        items[:] = [
            WorkloadItem.from_parent(session, name=name, nodeid=f"consistency::{name}", tests=self)
            for name in WORKLOADS
        ]
        for item in items:
            session.config.hook.pytest_itemcollected(item=item)

    def pytest_report_header(self) -> str:
        return f"consistency: seed {self.seed}, {self.seconds:g} s a workload, in {self.folder}"


class WorkloadItem(pytest.Item):
    """One workload on the run's stack. It passes when all of its promises were held.

    It is an expected failure when all that was found is known.
    """

    def __init__(self, *, tests: ConsistencyTests, **rest: Any) -> None:
        super().__init__(**rest)
        self._tests = tests

    def runtest(self) -> None:
        tests, target = self._tests, self._tests.run.target
        if not isinstance(target, StackTarget):
            raise UsageError(
                f"--consistency needs replicas, and {target.name} has none.",
                "Run with --target stack.",
            )
        tests.folder.mkdir(parents=True, exist_ok=True)
        cluster = Cluster(target)
        clients = check.CLIENTS * cluster.replicas
        settings = Settings(tests.seed, tests.seconds, clients)
        (checked,) = check.check([self.name], settings, cluster, tests.folder, lambda line: None)
        lines = "\n".join(text.lines(checked))
        self.add_report_section("call", "consistency", lines)
        judgement = checked.report.judgement
        if judgement is Judgement.KNOWN:
            pytest.xfail(f"known defects: {', '.join(known_names(checked.report))}")
        if judgement is not Judgement.HELD:
            raise BrokenPromiseError(lines)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        if isinstance(excinfo.value, BrokenPromiseError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.nodeid
