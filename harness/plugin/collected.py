"""Tells what pytest is going to do with the tests that it collects."""

from collections import Counter
from collections.abc import Iterable

import pytest

from harness.core.errors import UsageError

# pytest's options that show something and run no test, by their names inside pytest.
LOOKS = (
    *("collectonly", "showfixtures", "show_fixtures_per_test", "setupplan", "cacheshow"),
    *("markers", "version", "help"),
)


def only_looks(config: pytest.Config) -> bool:
    """Whether pytest only shows something: nothing is started for that."""
    return any(config.getoption(name, None) for name in LOOKS)


def ambiguous(ids: Iterable[str]) -> UsageError | None:
    """The error for tests that share an id: xdist would run one of them, and be green."""
    shared = sorted(name for name, count in Counter(ids).items() if count > 1)
    if not shared:
        return None
    return UsageError(
        f"{len(shared)} ids belong to several tests each, e.g. {shared[0]}: with -n, only one of "
        "these tests would be run.",
        "Run them from a directory that holds all of them (--rootdir DIR), or without -n.",
    )


class Count:
    """Fails a run in which a test was collected and never reported; the controller has it."""

    def __init__(self) -> None:
        self._collected: set[str] = set()
        self._reported: set[str] = set()
        self._lost: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._collected.update(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._collected.update(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._reported.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # A run that was stopped, or is red, says so itself.
        stopped = session.shouldstop or session.shouldfail or only_looks(session.config)
        if session.exitstatus == pytest.ExitCode.OK and not stopped:
            self._lost = sorted(self._collected - self._reported)
            if self._lost:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._lost:
            terminalreporter.write_line(
                f"FAILED: {len(self._lost)} of {len(self._collected)} tests were collected and not "
                f"run, e.g. {self._lost[0]}. A plugin may have left them out without a word.",
                red=True,
            )
