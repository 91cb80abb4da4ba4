"""Leaves out suites that are not true for the releases of placement that the target runs."""

from collections.abc import Sequence
from typing import Any

import pytest

from harness.suites import releases
from harness.suites.items import SuiteItem

# Keys of the data that a worker and the controller exchange.
LEFT_OUT = "placement_left_out"
RELEASES = "placement_releases"


class Releases:
    """A plugin of pytest, in every process of a run.

    ``versions`` are those that the target runs; ``guessed`` says that the target did not tell.
    """

    def __init__(self, versions: Sequence[str], *, guessed: bool) -> None:
        self._versions = versions
        self._guessed = guessed
        # Each suite that was left out, with its releases, e.g. {'a.yaml': '<14'}.
        self._left_out: dict[str, str] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        holding: list[pytest.Item] = []
        others: list[pytest.Item] = []
        for item in items:
            (holding if self._holds(item) else others).append(item)
        if others:
            config.hook.pytest_deselected(items=others)
            items[:] = holding

    def _holds(self, item: pytest.Item) -> bool:
        if not isinstance(item, SuiteItem) or releases.holds(item.case.releases, self._versions):
            return True
        self._left_out[item.nodeid.partition("::")[0]] = str(item.case.releases)
        return False

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        # A worker knows no more of a stack's placements than what it is told.
        node.workerinput[RELEASES] = [*self._versions]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._left_out |= getattr(node, "workeroutput", {}).get(LEFT_OUT, {})

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[LEFT_OUT] = self._left_out

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._left_out:
            return
        answered = " and ".join(dict.fromkeys(self._versions))
        named = ", ".join(f"{name} ({only})" for name, only in sorted(self._left_out.items()))
        guess = "; --release says which one it is" if self._guessed else ""
        taken = "is taken for" if self._guessed else "runs"
        terminalreporter.write_line(
            f"left out, as the target {taken} placement {answered}{guess}: {named}"
        )
