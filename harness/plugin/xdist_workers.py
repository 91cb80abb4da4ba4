"""The controller's side of xdist: what each worker is told, and what each one hands back."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.config.plan import ADOPTED, Plan
from harness.core.errors import HarnessError
from harness.core.exchange import Exchange
from harness.plugin import _xdist_compat, collected
from harness.plugin.session import STOPPED
from harness.plugin.worker_handoff import Handoff
from harness.report.request_stats import Tally
from harness.suites.items import OWN_SUITES


class XdistWorkers:
    """A pytest plugin in the process that owns a run; does nothing in a run without workers.

    ``failed`` is called with an error that keeps workers from running or that ended one;
    ``broken`` with an error that ends the run at once.
    """

    def __init__(
        self,
        config: pytest.Config,
        plan: Plan,
        tally: Tally,
        failed: Callable[[HarnessError], None],
        broken: Callable[[HarnessError], None],
    ) -> None:
        self._plan = plan
        self._tally = tally
        self._failed = failed
        self._broken = broken
        self._handoff = Handoff()
        self._numbers = range(_xdist_compat.number_of_workers(config))
        # The numbers of the workers that live.
        self._living: dict[Any, int] = {}
        # The names of all workers, the dead ones included.
        self._names: list[str] = []

    @property
    def run_tests(self) -> bool:
        """Whether workers run the tests, and not this process."""
        return bool(self._numbers)

    def hand_out(self, share: Callable[[int], Mapping[str, object]]) -> None:
        """Give each worker the data with which it attaches to the target: ``share(number)``."""
        self._handoff.write([share(number) for number in self._numbers])

    def exchanges(self) -> list[Exchange]:
        """The exchanges that workers have written down, until ``close``."""
        return [exchange for name in self._names for exchange in self._handoff.exchanges(name)]

    def close(self) -> None:
        self._handoff.close()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        error = collected.ambiguous(ids)
        if error is not None:
            self._broken(error)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        # This module imports xdist, which need not be installed.
        from harness.plugin import xdist_scheduler

        return xdist_scheduler.make(config, log)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        self._names.append(node.workerinput["workerid"])
        self._living[node] = min(set(self._numbers) - set(self._living.values()))
        try:
            node.workerinput["placement"] = self._handoff.place(self._living[node])
        except HarnessError as error:
            self._failed(error)
            pytest.exit(STOPPED, error.exit_code)
        # A worker must not look for a stack to adopt: that stack may be starting anew by now.
        node.workerinput["placement_plan"] = {name: getattr(self._plan, name) for name in ADOPTED}
        # A worker that looked for the suites itself would resolve the placements again.
        suites = node.config.stash[OWN_SUITES].given
        node.workerinput["placement_own_suites"] = None if suites is None else str(suites)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        # xdist replaces a worker that died; the new one gets the number, and with it the lane.
        self._living.pop(node, None)
        output = getattr(node, "workeroutput", {})
        if "placement" in output:
            self._tally.merge(output["placement"])
        else:
            for exchange in self._handoff.exchanges(node.workerinput["workerid"]):
                self._tally.observe(exchange)
        if "placement_error" in output:
            problem, remedy, evidence = output["placement_error"]
            self._failed(HarnessError(problem, remedy, evidence=evidence))
