"""Two recordings compared, without a target."""

from pathlib import Path

from harness.core.errors import UsageError
from harness.parity.judge import Judge, by_test
from harness.parity.outcome import Outcome
from harness.parity.recording import Recording
from harness.parity.rules import declared

SHIPPED = Path(__file__).with_name("recordings")


def found_recording(name: str) -> Path:
    """The file of a recording: one that is shipped, by its name, or the user's own."""
    shipped = SHIPPED / f"{name}.jsonl.gz"
    return shipped if shipped.is_file() else Path(name)


def diff(left: Path, right: Path) -> Outcome:
    """Compare two recordings, test by test, in the order of the left one. Raises UsageError."""
    if left.exists() and right.exists() and left.samefile(right):
        raise UsageError(f"{left} and {right} are one file.", "Give two recordings.")
    recording, other = Recording(left), Recording(right)
    judge = Judge(recording.header.target, other.header.target, declared())
    tests, others = by_test(recording.exchanges()), by_test(other.exchanges())
    judgements = [
        judge.judge(
            suite,
            test,
            tests.get((suite, test), []),
            others.get((suite, test), []),
            _why(suite, recording, other, (suite, test) in tests),
        )
        for suite, test in dict.fromkeys([*tests, *others])
    ]
    return Outcome.of(judge, judgements)


def _why(suite: str, left: Recording, right: Recording, in_left: bool) -> str:
    """Why a test that one recording has is not compared with the other."""
    lacking = right if in_left else left
    if suite not in lacking.header.suites:
        return f"{lacking.path.name} has no suite {suite}"
    return f"{lacking.path.name} has no such test"
