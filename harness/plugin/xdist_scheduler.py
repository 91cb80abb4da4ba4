"""xdist's scheduler, for files whose tests build upon each other: a worker that dies costs one."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from harness.suites.items import SUFFIXES

# xdist's ways that this one is for.
WHOLE = frozenset({"loadfile", "loadscope"})
# Of a worker's tests that wait: it begins one when it knows the next.
FEW = 2


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]
    """Gives whole files to workers.

    xdist's own gives all files of a worker that died to the next one: those that were finished, at
    which that waits for ever (pytest-xdist #1378), and the test that the worker died of, again.
    """

    # Workers that have ended, of which xdist has still to learn.
    _gone: frozenset[Any] = frozenset()

    def _assign_work_unit(self, node: Any) -> None:
        file = next(iter(self.workqueue))
        try:
            super()._assign_work_unit(node)
        except OSError:
            # It cannot be told; others can.
            self._gone |= {node}
            self.workqueue[file] = self.assigned_work[node].pop(file)
            self.workqueue.move_to_end(file, last=False)

    def remove_node(self, node: Any) -> str | None:
        """Forget a worker; the test that it died of, if it had any left.

        The rest of a suite is lost with it; all else that it was to do goes to others.
        """
        if self.collection is None:
            # Its place among those who have collected is its successor's.
            self.registered_collections.pop(node, None)
        left: dict[str, dict[str, bool]] = {
            file: tests
            for file, tests in self.assigned_work.pop(node).items()
            if not all(tests.values())
        }
        if not left:
            return None
        file = next(iter(left))
        crashed, *after = (test for test, done in left[file].items() if not done)
        left[file][crashed] = True
        if _is_suite(crashed) or not after:
            del left[file]
            self._lose(after, crashed, node)
        for file in reversed(left):
            self.workqueue[file] = left[file]
            self.workqueue.move_to_end(file, last=False)
        for other in self.nodes:
            self._reschedule(other)
        return crashed

    def _lose(self, tests: Iterable[str], crashed: str, node: Any) -> None:
        """Report tests that cannot be run without those before them."""
        test = crashed.partition("::")[2]
        for one in tests:
            file = one.partition("::")[0]
            report = pytest.TestReport(
                one,
                (file, None, file),
                {},
                "failed",
                f"not run: {node.gateway.id}, which had the tests before it, died in {test!r}",
                "setup",
            )
            report.node = node  # type: ignore[attr-defined]
            self.config.hook.pytest_runtest_logreport(report=report)

    def _reschedule(self, node: Any) -> None:
        """Give a worker enough to go on, or let it end when there is no more."""
        if node.shutting_down or node in self._gone:
            return
        # One that takes another's place has not collected yet.
        ready = node in self.registered_collections
        while ready and self.workqueue and self._pending_of(self.assigned_work[node]) <= FEW:
            self._assign_work_unit(node)
        if not self.workqueue:
            node.shutdown()

    def _split_scope(self, nodeid: str) -> str:
        if _is_suite(nodeid) or self.config.getvalue("dist") == "loadfile":
            return nodeid.partition("::")[0]
        return str(super()._split_scope(nodeid))


def _is_suite(nodeid: str) -> bool:
    return Path(nodeid.partition("::")[0]).suffix in SUFFIXES


def make(config: pytest.Config, log: Any) -> Scheduler | None:
    """The scheduler of a run; None where xdist's own is as good."""
    return Scheduler(config, log) if config.getvalue("dist") in WHOLE else None
