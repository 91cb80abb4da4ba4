"""Turns tempest's stream of results into a verdict for each test of the suites."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.core.errors import RunnerError
from harness.core.evidence import last_lines
from harness.core.verdicts import Verdict
from harness.core.words import counted

BAD = frozenset({Verdict.FAILED, Verdict.XPASSED})
# Statuses of tempest's stream -> verdicts.
VERDICTS = {
    "success": Verdict.PASSED,
    "fail": Verdict.FAILED,
    "skip": Verdict.SKIPPED,
    "xfail": Verdict.XFAILED,
    "uxsuccess": Verdict.XPASSED,
}


@dataclass(slots=True)
class Test:
    """A test of a suite, and its outcome. ``verdict`` is None before the test has run."""

    suite: str
    name: str
    verdict: Verdict | None = None
    reason: str = ""
    # Begin in seconds since the epoch, and duration in seconds.
    began: float = 0.0
    seconds: float = 0.0
    # Log lines of a failed test's last request.
    logs: str = ""


@dataclass(slots=True)
class Tests:
    """Tests that should run, by tempest's name for them; several tests may share a name."""

    expected: dict[str, list[Test]] = field(default_factory=dict)
    # Other tests in tempest's stream, such as a failed set-up.
    others: list[Test] = field(default_factory=list)

    @property
    def all(self) -> list[Test]:
        return [test for tests in self.expected.values() for test in tests]

    def next(self, number: str) -> Test:
        """The first test with this name that has not run yet."""
        for test in self.expected.get(number, ()):
            if not test.verdict:
                return test
        self.others.append(Test("", number))
        return self.others[-1]


class Listener:
    """Turns tempest's stream into verdicts. ``done`` gets each test that has ended."""

    def __init__(self, tests: Tests, done: Callable[[Test], None]) -> None:
        self._tests, self._done = tests, done
        self._running: dict[str, Test] = {}
        self._began: dict[str, Any] = {}
        self._expected: set[str] = set()
        # Traceback or reason of a test, as it comes in pieces.
        self._texts: dict[str, bytes] = {}

    def status(
        self, test_id: str | None = None, test_status: str | None = None, **event: Any
    ) -> None:
        if test_id is None or test_status == "exists":
            return
        if event.get("file_bytes") and event.get("file_name") in ("traceback", "reason"):
            self._texts[test_id] = self._texts.get(test_id, b"") + bytes(event["file_bytes"])
        if test_status == "inprogress":
            self._running[test_id] = self._tests.next(test_id)
            self._began[test_id] = event.get("timestamp")
            self._expected.discard(test_id)
        elif test_status is not None:
            # gabbi reports an expected failure first, and then a success.
            if test_status == "success" and test_id in self._expected:
                self._expected.discard(test_id)
                return
            test = self._running.pop(test_id, None) or self._tests.next(test_id)
            if test_status in ("xfail", "uxsuccess"):
                self._expected.add(test_id)
            test.verdict = VERDICTS.get(test_status, Verdict.FAILED)
            test.reason = _message(self._texts.pop(test_id, b"").decode(errors="replace"))
            began, ended = self._began.pop(test_id, None), event.get("timestamp")
            if began and ended:
                test.began = began.timestamp()
                test.seconds = (ended - began).total_seconds()
            self._done(test)


def _message(traceback: str) -> str:
    """The message in a traceback. Its lines in gabbi's code would not help the user."""
    lines = traceback.rpartition("Traceback (most recent call last):\n")[2].splitlines()
    while lines and (lines[0].startswith("  ") or not lines[0].strip()):
        del lines[0]
    return "\n".join(lines).strip().removeprefix("AssertionError: ")


def counts(tests: Iterable[Test]) -> str:
    """Number of tests with each verdict, e.g. ``30 passed, 1 skipped``."""
    numbers = Counter(Verdict.FAILED if test.verdict in BAD else test.verdict for test in tests)
    order = (Verdict.FAILED, Verdict.PASSED, Verdict.SKIPPED, Verdict.XFAILED)
    return ", ".join(f"{numbers[verdict]} {verdict}" for verdict in order if numbers[verdict])


def prove(tests: Tests, code: int, errors: str) -> None:
    """Raise RunnerError unless each test of the suites has run, and no other test."""
    held = Counter(test.suite for test in tests.all)
    ran = Counter(test.suite for test in tests.all if test.verdict)
    differ = [
        f"{suite}: {ran[suite]} of {counted(n, 'test')}"
        for suite, n in held.items()
        if ran[suite] != n
    ]
    differ += [f"not in the suites: {test.name} {test.verdict}" for test in tests.others]
    if not differ and not code:
        return
    reason = next((test.reason for test in tests.others if test.reason), errors).strip()
    total = ran.total() + len(tests.others)
    raise RunnerError(
        f"tempest ran {counted(total, 'test')} where the suites hold {held.total()}"
        + (f", and ended with {code}." if code else "."),
        "The differences and tempest's last lines are below. The same suites run with pytest, too.",
        evidence=[*differ, *last_lines(reason)],
    )
