"""What can go wrong, and what to do about it.

HarnessError                 exit code 70: the run could not be made; no test failed
├── UsageError               exit code 64: an option, setting or file that makes no sense
├── EngineError              no container engine, no permission, no Compose v2
├── UnreachableError         the package index does not answer, or lacks what is needed
├── BuildError               an image could not be built
├── StackError               a stack did not come up, or did not stay up
├── TargetError              the target does not answer, or refuses the credentials
└── RunnerError              another program should run the suites, and has not run all of them

Each error names what was tried, what came back and the remedy, in one paragraph. The commands exit
with ``exit_code``, and pytest does too. Bad options are pytest's own usage errors, exit code 4.
"""

import errno
from collections.abc import Sequence

from harness.core.evidence import cut


class HarnessError(Exception):
    """Something kept the run from being made.

    ``problem`` says what was tried and what came back, ``remedy`` what to do. ``evidence`` holds
    lines to show below them: the last lines of a dead container or of a build. ``service`` is the
    service that the error is about, if it is about one.
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
        self.evidence = tuple(map(cut, evidence))
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
    """The package index does not answer, or lacks what is needed."""


class BuildError(HarnessError):
    """An image could not be built."""


class StackError(HarnessError):
    """A stack did not come up, or did not stay up."""


class TargetError(HarnessError):
    """The target does not answer requests, or refuses the credentials."""


class RunnerError(HarnessError):
    """Another program should run the suites, and has not run all of them."""


FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# Errors that come from a directory's or file system's state, and not from a bug in the program.
REFUSED = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ESTALE, errno.ENOTDIR}
)
# This process or the machine has too many open files.
TOO_MANY = frozenset({errno.EMFILE, errno.ENFILE})


def file_error(error: OSError) -> StackError | None:
    """The StackError for a file that cannot be used; None if the error is a bug in the program."""
    path = error.filename2 or error.filename
    if error.errno in FULL:
        where = f" for {path}" if path else ""
        return StackError(
            f"The disk has no room left{where}: {error.strerror}.",
            "Make room where PLACEMENT_HARNESS_STATE (~/.local/state) and TMPDIR are, and run "
            "again.",
        )
    if error.errno in TOO_MANY:
        return StackError(
            f"{path or 'A file'} cannot be opened: {error.strerror}.",
            "Allow more (ulimit -n), or run fewer workers (-n), and run again.",
        )
    if error.errno in REFUSED and path:
        return StackError(
            f"{path} cannot be used: {error.strerror}.",
            "Make it readable and writable for this user, or name another directory in "
            "PLACEMENT_HARNESS_STATE.",
        )
    return None
