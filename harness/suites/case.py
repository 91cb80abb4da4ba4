"""gabbi's test case, which runs once and keeps its outcome."""

import unittest
from collections.abc import Sequence
from typing import Any

import httpx
from gabbi import exception  # type: ignore[import-untyped]
from packaging.specifiers import SpecifierSet

from harness.core.exchange import Exchange
from harness.suites import _gabbi_compat
from harness.suites.connection import Wire
from harness.upstream.expected_differences import Difference

# Errors whose messages say everything: a traceback through gabbi would not help the user.
PLAIN = (AssertionError, exception.GabbiFormatError, OSError, httpx.HTTPError)


class Outcome(unittest.TestResult):
    """Outcome of one test. At most one of ``error``, ``expected`` and ``skip`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.error: BaseException | None = None
        # The failure that `xfail: true` announced.
        self.expected: BaseException | None = None
        self.skip: str | None = None

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        self.error = self.error or err[1]

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        self.error = self.error or err[1]

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        self.expected = err[1]

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        self.skip = reason

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802
        """Nothing is kept: pytest reports the success itself, by the test's xfail mark."""


class Case(_gabbi_compat.Case):
    """One test of a suite.

    A test may have run before its turn, because another test needed it. It then reports its
    outcome, where gabbi would report a success.
    """

    # The loader sets this for all tests of a suite.
    wire: Wire
    # Whether the test says itself if it wants TLS; otherwise the target's address decides.
    own_tls: bool
    # Line of the test in its file, from 0.
    line: int
    # The releases of placement for which the suite is true; None: for all.
    releases: SpecifierSet | None

    # Declared difference of a deployed placement's answer.
    difference: Difference | None = None

    outcome: Outcome | None = None

    @property
    def exchange(self) -> Exchange | None:
        """The last exchange of this test."""
        exchange: Exchange | None = self.http.exchange
        return exchange

    def run(self, result: object = None) -> None:
        """Run the test, unless it has run. ``outcome`` has the result; the argument is ignored."""
        if self.outcome is None:
            self.outcome = Outcome()
            address = self.wire.address
            self.host, self.port, self.prefix = address.host, address.port, address.prefix
            if address.tls and not self.own_tls:
                self.test_data["ssl"] = True
            if self.differs is not None:
                self._expect_otherwise(self.differs)
            with self.wire.variables():
                super().run(self.outcome)

    @property
    def differs(self) -> Difference | None:
        """The declared answer that the test expects in place of the suite's; None if it does not.

        A target in this process answers as upstream's suites expect.
        """
        return None if self.wire.in_process else self.difference

    def _expect_otherwise(self, difference: Difference) -> None:
        for key, value in self.test_data.items():
            if key.startswith("response_"):
                self.test_data[key] = type(value)()
        self.test_data.update(difference.expected)

    def perform(self) -> Outcome:
        """Run the tests that this test needs, in order, and then this test.

        gabbi runs them recursively, and reaches Python's recursion limit in a suite of some 150
        tests.
        """
        needed = [self]
        while needed[-1].wants_prior():
            needed.append(needed[-1].prior)
        for case in reversed(needed):
            case.run()
        assert self.outcome is not None  # noqa: S101
        return self.outcome

    def wants_prior(self) -> bool:
        """Whether the test before this one has to run first, by gabbi's rule."""
        if self.prior is None or self.prior.has_run or not self.test_data["use_prior_test"]:
            return False
        try:
            return not self.replace_template(self.test_data["skip"])
        except AssertionError:
            # `skip` refers to a missing value; gabbi fails the test for that.
            return False


def resumed(before: Sequence[Case], anew: Sequence[Case], index: int) -> list[Case]:
    """The cases of a suite of which a test, and those that it needs, are to run again.

    ``before`` are the cases that have run, ``anew`` the same ones, read again. The tests before
    those that run again keep their answers, for tests that refer to them.
    """
    history = anew[index].history
    for case in before[:index]:
        history[case.test_data["name"]] = case
    start = index
    while anew[start].wants_prior():
        start -= 1
        history[anew[start].test_data["name"]] = anew[start]
    if start:
        anew[start].prior = before[start - 1]
    return [*before[:start], *anew[start:]]
