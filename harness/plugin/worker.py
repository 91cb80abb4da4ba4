"""An xdist worker's part in a run: it uses the target that the controller has started."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from harness.config.plan import Plan
from harness.core.errors import HarnessError
from harness.core.exchange_log import ExchangeLog
from harness.plugin import collected
from harness.plugin.other_side import OTHER, OtherSide
from harness.plugin.session import STOPPED, Run, blames_target
from harness.plugin.worker_handoff import exchange_log, wait_for_share
from harness.suites.connection import Wire


class Worker(Run):
    """A Run that attaches to its target when the controller has started that target."""

    def __init__(
        self, config: pytest.Config, plan: Plan, wire: Wire, other: OtherSide | None = None
    ) -> None:
        self._input: Mapping[str, Any] = config.workerinput  # type: ignore[attr-defined]
        super().__init__(plan, wire, self._input["workerid"], other)
        self._log: ExchangeLog | None = None
        self._output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Attach to the target; True, which ends the loop, when attaching fails."""
        self._session = session
        if collected.only_looks(session.config):
            return None
        try:
            share = wait_for_share(self._input["placement"])
            self.attach(share)
            # The controller reads the exchanges of a worker that has died from its file.
            file = exchange_log(self._input["placement"], self._input["workerid"])
            self._log = ExchangeLog(file, [self.target.token()])
            self.stream.subscribe(self._log)
            if self.other is not None:
                self.other.attach(cast(Mapping[str, Any], share[OTHER]))
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
        if self.other is not None:
            self.other.disconnect()
        if self.lost_observer is not None:
            self._end(self.lost_observer)
        if self._log is not None:
            self._log.close()
        self._output["placement"] = self.tally.dump()
