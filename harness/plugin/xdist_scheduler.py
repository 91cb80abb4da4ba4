"""A scheduler of xdist for files whose tests build upon each other.

Private to xdist, and used as a whole: the methods and attributes of ``LoadScopeScheduling``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from harness.suites.files import SUFFIXES

# Values of --dist for which this scheduler replaces xdist's.
WHOLE = frozenset({"loadfile", "loadscope"})
# A worker with at most this many tests left gets another file: it begins a test when it knows the
# next one.
FEW = 2


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]
    """Gives whole files to workers; a worker that dies costs the rest of one suite.

    xdist's scheduler gives all files of a dead worker to the next one. Among them are finished
    files, at which the next worker waits for ever (pytest-xdist #1378), and the test at which the
    worker died, which then kills the next one.
    """

    # Workers that have ended without xdist's knowledge.
    _gone: frozenset[Any] = frozenset()

    def _assign_work_unit(self, node: Any) -> None:
        file = next(iter(self.workqueue))
        try:
            super()._assign_work_unit(node)
        except OSError:
            # The worker has ended. The file goes to another one.
            self._gone |= {node}
            self.workqueue[file] = self.assigned_work[node].pop(file)
            self.workqueue.move_to_end(file, last=False)

    def remove_node(self, node: Any) -> str | None:
        """Forget a worker. Return the test at which it died, if it had any left.

        The rest of that suite is lost; the worker's other files go to other workers.
        """
        if self.collection is None:
            # The worker that replaces it collects in its place.
            self.registered_collections.pop(node, None)
        remaining: dict[str, dict[str, bool]] = {
            file: tests
            for file, tests in self.assigned_work.pop(node).items()
            if not all(tests.values())
        }
        if not remaining:
            return None
        file = next(iter(remaining))
        crashed, *after = (test for test, done in remaining[file].items() if not done)
        remaining[file][crashed] = True
        if _is_suite(crashed) or not after:
            del remaining[file]
            self._lose(after, crashed, node)
        for file in reversed(remaining):
            self.workqueue[file] = remaining[file]
            self.workqueue.move_to_end(file, last=False)
        for other in self.nodes:
            self._reschedule(other)
        return crashed

    def _lose(self, tests: Iterable[str], crashed: str, node: Any) -> None:
        """Report tests that cannot be run without those before them."""
        crash = crashed.partition("::")[2]
        for test in tests:
            file = test.partition("::")[0]
            report = pytest.TestReport(
                test,
                (file, None, file),
                {},
                "failed",
                f"not run: {node.gateway.id}, which had the tests before it, died in {crash!r}",
                "setup",
            )
            report.node = node  # type: ignore[attr-defined]
            self.config.hook.pytest_runtest_logreport(report=report)

    def _reschedule(self, node: Any) -> None:
        """Give a worker another file when it has few tests left; end it when there is no file."""
        if node.shutting_down:
            return
        while self._wants_a_file(node):
            self._assign_work_unit(node)
        if not self.workqueue and node not in self._gone:
            node.shutdown()

    def _wants_a_file(self, node: Any) -> bool:
        # A worker that replaces a dead one may not have collected yet.
        ready = node in self.registered_collections and node not in self._gone
        return bool(ready and self.workqueue and self._pending_of(self.assigned_work[node]) <= FEW)

    def _split_scope(self, nodeid: str) -> str:
        if _is_suite(nodeid) or self.config.getvalue("dist") == "loadfile":
            return nodeid.partition("::")[0]
        return str(super()._split_scope(nodeid))


def _is_suite(nodeid: str) -> bool:
    return Path(nodeid.partition("::")[0]).suffix in SUFFIXES


def make(config: pytest.Config, log: Any) -> Scheduler | None:
    """The scheduler of a run; None lets xdist use its own."""
    return Scheduler(config, log) if config.getvalue("dist") in WHOLE else None
