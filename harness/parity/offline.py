"""Two recordings compared, without a target."""

from pathlib import Path

from harness.core.errors import UsageError
from harness.parity.judge import Judge
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
    table = declared()
    if recording.header.placement == other.header.placement:
        table = table.of_one_release()
    sides = recording.header.target, other.header.target
    judge, outcome = Judge(*sides, table), Outcome(*sides, table.rules)
    for suite, test in dict.fromkeys([*recording.tests, *other.tests]):
        why = lacks(suite, other if (suite, test) in recording.tests else recording)
        here, there = recording.of((suite, test)), other.of((suite, test))
        outcome.add(judge.judge(suite, test, here, there, why).as_data())
    return outcome


def lacks(suite: str, recording: Recording) -> str:
    """Why a test of this suite has no exchanges in a recording."""
    if suite not in recording.header.suites:
        return f"{recording.path.name} has no suite {suite}"
    return f"{recording.path.name} has no such test"
