"""Makes JUnit cases of tempest's tests, under the names that pytest gives to the same tests."""

from collections.abc import Iterable

from harness.core.verdicts import Verdict
from harness.report.junit import Case, Suite
from harness.tempest.outcomes import BAD, Test


def suite(tests: Iterable[Test]) -> Suite:
    """Return the tests as one suite; a failed test shows its whole reason and its log lines."""
    return Suite("tempest", [_case(test) for test in tests])


def _case(test: Test) -> Case:
    verdict = test.verdict or Verdict.SKIPPED
    is_bad = verdict in BAD
    return Case(
        test.name,
        test.suite.replace("/", "."),
        test.seconds,
        verdict,
        test.reason.partition("\n")[0],
        "\n\n".join(filter(None, (test.reason, test.logs))) if is_bad else "",
        None if is_bad else str(verdict),
    )
