"""What can go wrong, and what to do about it.

HarnessError                 exit code 70: the run could not be made; no test failed
├── UsageError               exit code 64: an option, setting or file that makes no sense
├── EngineError              no container engine, no permission, no Compose v2
├── UnreachableError         the package index does not answer, or has not what it is to have
├── BuildError               an image could not be built
├── StackError               a stack did not come up, or did not stay up
├── TargetError              what should answer does not, or refuses the credentials
└── RunnerError              another program was to run the suites, and has not run all of them

Each names what was tried, what came back and the remedy, in one paragraph. The command line exits
with ``exit_code``; pytest does too, but for bad options, which are pytest's own usage errors (4).
"""

import errno
from collections.abc import Sequence


class HarnessError(Exception):
    """Something kept the run from being made.

    ``problem`` says what was tried and what came back, ``remedy`` what to do. ``evidence`` holds
    lines to show below them: a dead container's last words, a build's last lines.
    """

    exit_code = 70

    def __init__(
        self,
        problem: str,
        remedy: str,
        *,
        evidence: Sequence[str] = (),
        service: str | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.evidence = tuple(evidence)
        self.service = service

    def __str__(self) -> str:
        lines = [f"{self.problem} {self.remedy}"]
        lines += [f"  {line}" for line in self.evidence]
        return "\n".join(lines)


class UsageError(HarnessError):
    """An option, a setting or a file that makes no sense."""

    exit_code = 64


class EngineError(HarnessError):
    """The container engine cannot be used."""


class UnreachableError(HarnessError):
    """The package index does not answer, or has not what it is to have."""


class BuildError(HarnessError):
    """An image could not be built."""


class StackError(HarnessError):
    """A stack did not come up, or did not stay up."""


class TargetError(HarnessError):
    """What should answer requests does not, or refuses the credentials."""


class RunnerError(HarnessError):
    """Another program was to run the suites, and has not run all of them."""


def no_room(error: OSError) -> StackError | None:
    """The error to end with, where a full disk kept something from being written; else None."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    where = f" for {error.filename}" if error.filename else ""
    return StackError(
        f"The disk has no room left{where}: {error.strerror}.",
        "Make some, where PLACEMENT_HARNESS_STATE (~/.local/state) and TMPDIR are, and run again.",
    )
