"""gabbi's test case, run once and remembered."""

import unittest
from typing import Any

import httpx
from gabbi import exception  # type: ignore[import-untyped]
from packaging.specifiers import SpecifierSet

from harness.core.exchange import Exchange
from harness.suites import _gabbi_compat
from harness.suites.connection import Wire
from harness.upstream.expected_differences import Difference

# What a test fails with that says it all: where in gabbi it was raised helps nobody.
PLAIN = (AssertionError, exception.GabbiFormatError, OSError, httpx.HTTPError)


class Outcome(unittest.TestResult):
    """What came of one test: at most one of ``error``, ``expected`` and ``skip`` is set."""

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
        """Pytest says so itself, by its xfail mark."""


class Case(_gabbi_compat.Case):
    """One test of a suite.

    A test that another one needed has run before its own turn comes; it then reports what came of
    it, where gabbi would report a success.
    """

    # Set by loading, for all tests of a suite.
    wire: Wire
    # The test says itself whether it wants TLS; else the target's address decides.
    own_tls: bool
    # Where the test stands in its file, from 0.
    line: int
    # The releases of placement for which the suite is true; None: for all.
    releases: SpecifierSet | None

    # What a deployed placement answers instead.
    difference: Difference | None = None

    outcome: Outcome | None = None

    @property
    def exchange(self) -> Exchange | None:
        """The last exchange of this test."""
        exchange: Exchange | None = self.http.exchange
        return exchange

    def run(self, result: object = None) -> None:
        """Run once; ``result`` gets nothing, ``outcome`` has it."""
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
        """What is expected instead of what the suite says: declared, with its reason."""
        return None if self.wire.in_process else self.difference

    def _expect_otherwise(self, difference: Difference) -> None:
        for key, value in self.test_data.items():
            if key.startswith("response_"):
                self.test_data[key] = type(value)()
        self.test_data.update(difference.expected)

    def perform(self) -> Outcome:
        """Run what this test needs, oldest first, then this test.

        gabbi nests them, and meets Python's recursion limit in a suite of some 150 tests.
        """
        needed = [self]
        while needed[-1].wants_prior():
            needed.append(needed[-1].prior)
        for one in reversed(needed):
            one.run()
        assert self.outcome is not None  # noqa: S101
        return self.outcome

    def wants_prior(self) -> bool:
        """Whether the test before this one has to run first: gabbi's own rule."""
        if self.prior is None or self.prior.has_run or not self.test_data["use_prior_test"]:
            return False
        try:
            return not self.replace_template(self.test_data["skip"])
        except AssertionError:
            # What `skip` refers to is missing; gabbi fails the test for that.
            return False
