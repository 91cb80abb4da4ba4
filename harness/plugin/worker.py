"""An xdist worker's part in a run: it uses the target that the controller has started."""

from collections.abc import Mapping
from typing import Any

import pytest

from harness import targets
from harness.config.plan import Plan
from harness.core.errors import HarnessError
from harness.plugin.session import STOPPED, Run, blames_target
from harness.plugin.worker_handoff import wait_at
from harness.suites.connection import Wire


class Worker(Run):
    """An xdist worker: it uses the target that the controller has started."""

    def __init__(self, config: pytest.Config, plan: Plan, wire: Wire) -> None:
        super().__init__(plan, wire)
        self._input: Mapping[str, Any] = config.workerinput  # type: ignore[attr-defined]
        self._output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Attach; True, which ends the loop, when that cannot be done."""
        self._session = session
        try:
            self.connect(targets.attach(self.plan, wait_at(self._input["placement"])))
        except HarnessError as error:
            self._end(error)
            return True
        return None

    def broke(self, error: BaseException) -> None:
        if blames_target(error):
            self._end(error)

    def _end(self, error: HarnessError) -> None:
        """End this process; the controller shows why, and ends the run."""
        said = [error.problem, error.remedy, list(error.evidence)]
        self._output.setdefault("placement_error", said)
        self._session.shouldstop = STOPPED

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self.disconnect()
        self._output["placement"] = self.tally.dump()
