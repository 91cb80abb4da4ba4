"""Runs suites under tempest, and follows its results."""

import contextlib
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from harness.core import redact
from harness.core.errors import RunnerError
from harness.core.measurements import Progress
from harness.core.program import Program
from harness.core.verdicts import Verdict
from harness.core.words import counted
from harness.identity.keystone import Keystone
from harness.tempest import outcomes, workspace
from harness.tempest.outcomes import Test

PREFIX = "tempest-"
COMMAND = (
    *("-m", "tempest.cmd.main", "run", "--config-file", "tempest.conf", "--subunit"),
    # gabbi-tempest makes all tests in one class: a second worker would have nothing to do.
    *("--serial", "--regex", r"^gabbi_tempest\.tests\.scenario\."),
)
UNEXPECTED = "The test passed, but the suite says xfail: tempest counts that as a failure."
# A fernet token is recognized by its beginning, which encodes a version and the time.
TOKEN = re.compile(r"gAAAA[\w=-]{20,}")


def require() -> None:
    """Raise RunnerError unless tempest and the packages around it are installed."""
    try:
        for module in ("tempest", "gabbi_tempest", "subunit", "testtools", "junitparser"):
            import_module(module)
    except ImportError as error:
        raise RunnerError(
            f"The suites cannot be run by tempest: {error}.",
            "Install it: pip install 'placement-harness[tempest]'.",
        ) from error


def run(
    keystone: Keystone,
    directories: Sequence[Path],
    regex: str | None,
    progress: Progress,
    *,
    placements: Sequence[str] = (),
    check: Callable[[], None] = lambda: None,
    parent: Path | None = None,
) -> list[Test]:
    """Run suites under tempest and give their tests; all of them have run.

    ``placements`` are the releases that answer. ``check`` is called between suites, and raises if
    the target has broken. tempest's files are in a temporary directory below ``parent``.
    """
    require()
    for old in parent.glob(f"{PREFIX}*") if parent else ():
        # A killed run has left this directory: the caller has locked the stack, so no other runs.
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent) as name:
        work = Path(name).resolve()
        tests = workspace.prepare(directories, regex, work, placements)
        workspace.configure(keystone, work)
        secret = str(keystone.identity["password"]["user"]["password"])
        remaining = Counter(test.suite for test in tests.all)
        suites = counted(len(remaining), "suite")
        progress(f"tempest starts, with {counted(len(tests.all), 'test')} of {suites}")

        def done(test: Test) -> None:
            test.reason = clean(test.reason, secret) or (
                UNEXPECTED if test.verdict is Verdict.XPASSED else ""
            )
            remaining[test.suite] -= 1
            if test.suite and not remaining[test.suite]:
                finished = [each for each in tests.all if each.suite == test.suite]
                progress(f"{test.suite}: {outcomes.counts(finished)}")
                check()

        code = _perform(work, workspace.environment(keystone, work), outcomes.Listener(tests, done))
        check()
        outcomes.prove(tests, code, clean((work / "errors").read_text(errors="replace"), secret))
    return tests.all


def _perform(work: Path, environment: Mapping[str, str], listener: outcomes.Listener) -> int:
    subunit: Any = import_module("subunit")
    with (
        (work / "errors").open("wb") as errors,
        contextlib.closing(
            Program(
                [sys.executable, *COMMAND],
                errors=errors,
                environment=environment,
                folder=work,
                is_mortal=True,
            )
        ) as program,
    ):
        try:
            subunit.ByteStreamToStreamResult(program.output, non_subunit_name="log").run(listener)
            return program.wait() or 0
        except BaseException:
            program.end()
            raise


def clean(text: str, secret: str) -> str:
    """The text with this run's secrets hidden."""
    return redact.text(TOKEN.sub(redact.HIDDEN, text), [secret] if secret else [])
