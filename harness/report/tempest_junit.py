"""JUnit XML of a run under tempest, with the names that pytest gives to the same suites."""

import re
from collections.abc import Iterable
from pathlib import Path

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from harness.tempest.outcomes import BAD, Test

# What XML cannot hold.
CONTROL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(path: Path, tests: Iterable[Test]) -> None:
    suite = TestSuite("tempest")
    for test in tests:
        case = TestCase(_text(test.name), test.suite.replace("/", "."), round(test.seconds, 3))
        reason = _text(test.reason)
        if test.verdict in BAD:
            failure = Failure(_first_line(reason))
            failure.text = "\n\n".join(filter(None, (reason, _text(test.logs))))
            case.result = [failure]
        elif test.verdict != "passed":
            case.result = [Skipped(_first_line(reason), test.verdict)]
        suite.add_testcase(case)
    document = JUnitXml()
    document.add_testsuite(suite)
    path.parent.mkdir(parents=True, exist_ok=True)
    document.write(str(path))


def _text(given: str) -> str:
    return CONTROL.sub("?", given)


def _first_line(reason: str) -> str:
    return reason.partition("\n")[0]
