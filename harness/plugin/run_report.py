"""What a run has measured, as a file: --run-report FILE."""

import contextlib
import dataclasses
import json
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.config.plan import Plan
from harness.core.errors import HarnessError
from harness.core.files import require_file
from harness.core.measurements import Measures, Setting
from harness.core.verdicts import Verdict
from harness.plugin.session import Run
from harness.report import terminal
from harness.targets.base import Measurable

SCHEMA = "placement-harness/run/1"
# Name of the plugin that adds up a comparison.
PARITY_SUMMARY = "placement-parity-summary"
# pytest's outcomes of a test -> keys of the report.
VERDICTS = {
    **{str(word): str(word) for word in Verdict},
    Verdict.ERROR: "errors",
}


def prepare(given: str | None) -> Path | None:
    """The path of the report, if one is wanted. Raises UsageError when it cannot be written.

    The report of an earlier run is removed, so that it is not mistaken for this run's.
    """
    if given is None:
        return None
    path = Path(given)
    require_file(path, "--run-report")
    path.unlink(missing_ok=True)
    # Tests may change the working directory.
    return path.absolute()


class RunReport:
    """A pytest plugin in the process that owns a run. Writes the file after everything else."""

    def __init__(self, path: Path, run: Run, error: Callable[[], HarnessError | None]) -> None:
        self._path = path
        self._run = run
        self._error = error
        self._began = time.perf_counter()
        self._session: pytest.Session | None = None
        self._verdicts: Counter[str] = Counter()
        self._settings: Sequence[Setting] = ()
        self._measures = Measures(None)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        config = self._session.config if self._session else None
        if config is not None:
            category = config.hook.pytest_report_teststatus(report=report, config=config)[0]
            self._verdicts[VERDICTS.get(category, "")] += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._verdicts["errors"] += report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Measure before the target is stopped. A broken stack may leave figures out."""
        target = self._run.target
        with contextlib.suppress(HarnessError, OSError):
            self._settings = target.settings()
        interrupted = session.exitstatus == pytest.ExitCode.INTERRUPTED
        if isinstance(target, Measurable) and not interrupted:
            with contextlib.suppress(HarnessError, OSError):
                self._measures = target.measure()

    @pytest.hookimpl(wrapper=True)
    def pytest_unconfigure(self) -> Generator[None, object, object]:
        try:
            return (yield)
        finally:
            if self._session is not None:
                self._path.write_text(json.dumps(self._results(self._session), indent=2) + "\n")

    def _results(self, session: pytest.Session) -> Mapping[str, Any]:
        tally, error = self._run.tally, self._error()
        latency = tally.latency()
        return {
            "schema": SCHEMA,
            "exit_code": int(session.exitstatus),
            "error": None
            if error is None
            else {
                "problem": error.problem,
                "remedy": error.remedy,
                "evidence": [*error.evidence],
            },
            "unproven": terminal.unproven(tally, self._run.target.replicas),
            "plan": self._plan(),
            "settings": [dataclasses.asdict(setting) for setting in self._settings],
            "tests": {name: self._verdicts[name] for name in VERDICTS.values()},
            "requests": {
                "total": tally.requests,
                "unanswered": tally.unanswered,
                "closed": tally.closed,
                "replicas": tally.by_replica(self._run.target.replicas),
            },
            "latency_ms": latency
            and {name: _rounded(ms) for name, ms in dataclasses.asdict(latency).items()},
            "client_ms": _rounded(tally.client * 1000) if tally.tests else None,
            "seconds": {
                "total": round(time.perf_counter() - self._began, 3),
                "start_up": _rounded(self._measures.start_up),
            },
            # The comparison of --parity, as the page has it.
            "parity": self._parity(session.config),
            "memory": [dataclasses.asdict(memory) for memory in self._measures.memory],
        }

    def _parity(self, config: pytest.Config) -> Mapping[str, Any] | None:
        summary = config.pluginmanager.get_plugin(PARITY_SUMMARY)
        if summary is None:
            return None
        # Runs without a comparison need not spend the time of the import.
        from harness.parity.outcome import as_data

        return as_data(summary.outcome)

    def _plan(self) -> Mapping[str, Any]:
        plan = self._run.plan
        fields = {field.name: getattr(plan, field.name) for field in dataclasses.fields(Plan)}
        # The environment of a lane is that of its profile, which is listed by name.
        return {**fields, "lanes": [lane.name for lane in plan.lanes]}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
