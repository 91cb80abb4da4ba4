"""An xdist worker's part in a run: it uses the target that the controller has started."""

from collections.abc import Mapping
from typing import Any

import pytest

from harness import targets
from harness.config.plan import Plan
from harness.core.errors import HarnessError
from harness.plugin.session import STOPPED, Run, blames_target
from harness.plugin.worker_handoff import wait_for_share
from harness.suites.connection import Wire


class Worker(Run):
    """A Run that attaches to its target when the controller has started that target."""

    def __init__(self, config: pytest.Config, plan: Plan, wire: Wire) -> None:
        super().__init__(plan, wire)
        self._input: Mapping[str, Any] = config.workerinput  # type: ignore[attr-defined]
        self._output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Attach to the target; True, which ends the loop, when attaching fails."""
        self._session = session
        try:
            share = wait_for_share(self._input["placement"])
            self.connect(targets.attach(self.plan, share))
        except HarnessError as error:
            self._end(error)
            return True
        return None

    def broke(self, error: BaseException) -> None:
        if blames_target(error):
            self._end(error)

    def _end(self, error: HarnessError) -> None:
        """End this process; the controller shows the error and ends the run."""
        parts = [error.problem, error.remedy, list(error.evidence)]
        self._output.setdefault("placement_error", parts)
        self._session.shouldstop = STOPPED

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self.disconnect()
        self._output["placement"] = self.tally.dump()
