"""Verdicts of a test and of a run, in the words that the terminal and reports use."""

from collections.abc import Iterable
from enum import StrEnum

from harness.core.errors import HarnessError


class Verdict(StrEnum):
    """Verdict of a test, in pytest's words. XPASSED is a success that was declared impossible."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    ERROR = "error"


class RunVerdict(StrEnum):
    """Verdict of a run, from the worst to the best. UNUSABLE means that no test is to blame."""

    INTERRUPTED = "interrupted"
    UNUSABLE = "unusable"
    FAILED = "failed"
    PASSED = "passed"

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self]

    @classmethod
    def worst(cls, verdicts: Iterable["RunVerdict"]) -> "RunVerdict":
        """Return the worst of some verdicts; without any, the run was interrupted."""
        present = set(verdicts)
        return next((verdict for verdict in cls if verdict in present), cls.INTERRUPTED)


EXIT_CODES = {
    RunVerdict.INTERRUPTED: 130,
    RunVerdict.UNUSABLE: HarnessError.exit_code,
    RunVerdict.FAILED: 1,
    RunVerdict.PASSED: 0,
}
