"""Two recordings compared, without a target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.parity.causes import Cause, causes
from harness.parity.judge import Judge, Judgement, Verdict, by_test
from harness.parity.recording import Recording
from harness.parity.rules import Rule, declared

SHIPPED = Path(__file__).with_name("recordings")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a comparison. It is a success only if something was compared."""

    left: str
    right: str
    counts: Mapping[Verdict, int]
    exchanges: int
    judgements: Sequence[Judgement]
    stale: Sequence[Rule]

    @property
    def causes(self) -> list[Cause]:
        return causes(self.judgements)

    @property
    def ok(self) -> bool:
        return bool(self.exchanges) and not self.stale and not self.counts.get(Verdict.DIFFERENT)


def found_recording(name: str) -> Path:
    """The file of a recording: one that is shipped, by its name, or the user's own."""
    shipped = SHIPPED / f"{name}.jsonl.gz"
    return shipped if shipped.is_file() else Path(name)


def diff(left: Path, right: Path) -> Outcome:
    """Compare two recordings, test by test, in the order of the left one. Raises UsageError."""
    if left.exists() and right.exists() and left.samefile(right):
        raise UsageError(f"{left} and {right} are one file.", "Give two recordings.")
    one, another = Recording(left), Recording(right)
    judge = Judge(one.header.target, another.header.target, declared())
    tests, others = by_test(one.exchanges()), by_test(another.exchanges())
    judgements = [
        judge.judge(
            suite,
            test,
            tests.get((suite, test), []),
            others.get((suite, test), []),
            _why(suite, one, another, (suite, test) in tests),
        )
        for suite, test in dict.fromkeys([*tests, *others])
    ]
    return Outcome(
        one.header.target,
        another.header.target,
        judge.counts,
        judge.exchanges,
        judgements,
        judge.expectations.stale,
    )


def _why(suite: str, left: Recording, right: Recording, in_left: bool) -> str:
    """Why a test that one recording has is not compared with the other."""
    lacking = right if in_left else left
    if suite not in lacking.header.suites:
        return f"{lacking.path.name} has no suite {suite}"
    return f"{lacking.path.name} has no such test"


def as_data(outcome: Outcome) -> dict[str, Any]:
    """The outcome for programs."""
    return {
        "schema": "placement-harness/parity/1",
        "left": outcome.left,
        "right": outcome.right,
        "ok": outcome.ok,
        "exchanges": outcome.exchanges,
        "tests": {str(verdict): count for verdict, count in outcome.counts.items()},
        "causes": [
            {
                "route": cause.route,
                "place": cause.place,
                "kind": cause.kind,
                "count": cause.count,
                "suite": cause.first.suite,
                "test": cause.first.test,
                "left": cause.difference.left,
                "right": cause.difference.right,
                "why": cause.difference.why,
            }
            for cause in outcome.causes
        ],
        "stale": [{"place": rule.place, "reason": rule.reason} for rule in outcome.stale],
    }
