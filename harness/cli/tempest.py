"""The command ``tempest``: runs suites under tempest against a stack or a URL."""

import os
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import click

from harness.config.plan import is_url
from harness.core.errors import TargetError, UsageError
from harness.core.measurements import Progress
from harness.core.paths import SUITES
from harness.core.words import counted
from harness.identity import credentials, keystone
from harness.stack.handle import Stack
from harness.stack.model import policies
from harness.targets import releases
from harness.tempest import runner
from harness.tempest.access_evidence import Served
from harness.tempest.outcomes import BAD, Test, counts

DIRECTORY = Path("gabbits")
REASON_LINES = 40


def tempest(
    directories: Sequence[Path],
    where: Stack | str,
    regex: str | None,
    junit_xml: Path | None,
    progress: Progress,
    release: str = "",
) -> bool:
    """Run suites against a stack or a URL, and print the outcome; True if all tests passed.

    ``release`` is that of the placement at a URL.
    """
    runner.require()
    if not directories and not DIRECTORY.is_dir():
        raise UsageError(
            f"There is no directory {DIRECTORY} here.",
            "Name one that holds gabbi's .yaml files; the suites of placement-harness are in "
            f"{SUITES}.",
        )
    chosen = [*directories] or [DIRECTORY]
    began = time.time()
    if isinstance(where, str):
        tests, served = _elsewhere(where, chosen, regex, progress, release), None
    else:
        tests = _on(where, chosen, regex, progress)
        served = Served(where, began)
        served.explain(tests)
    seconds = time.time() - began
    if junit_xml is not None:
        from harness.report import junit
        from harness.tempest import junit_suite

        junit.write(junit_xml, [junit_suite.suite(tests)])
    bad = [test for test in tests if test.verdict in BAD]
    for test in bad:
        click.secho(f"FAILED {test.suite}::{test.name}", fg="red")
        lines = test.reason.splitlines()
        cut = ["..."] if len(lines) > REASON_LINES else []
        lines = [*lines[:REASON_LINES], *cut, *test.logs.splitlines()]
        click.echo("\n".join(f"  {line}" for line in lines))
    for line in served.summary() if served else ():
        click.echo(line)
    problem = served.unproven() if served else None
    if problem:
        click.secho(problem, fg="red")
    missing = served.missing(tests) if served else None
    suites = len({test.suite for test in tests})
    ended = f"{counts(tests)} in {counted(suites, 'suite')} in {seconds:.2f}s, with tempest"
    click.secho(f"{ended} {version('tempest')}", fg="red" if bad or problem or missing else "green")
    if missing and not bad:
        raise missing
    if missing:
        click.secho(f"ERROR: {missing}", fg="red")
    return not (bad or problem)


def _on(
    stack: Stack, directories: Sequence[Path], regex: str | None, progress: Progress
) -> list[Test]:
    # No other process may take the stack down meanwhile.
    stack.state.lock()
    try:
        policies.restore(stack.state, stack.record)
        _meet(stack.keystone, stack.placement_url)
        stack.watch()
        return runner.run(
            stack.keystone,
            directories,
            regex,
            progress,
            placements=releases.named(each.version for each in stack.record.placements),
            check=stack.check,
            parent=stack.state.directory,
        )
    finally:
        stack.unwatch()
        stack.state.release()


def _elsewhere(
    url: str, directories: Sequence[Path], regex: str | None, progress: Progress, release: str
) -> list[Test]:
    if not is_url(url):
        raise UsageError(
            f"--url {url} is not a whole URL.",
            "Give placement's address, e.g. http://127.0.0.1:8778/placement.",
        )
    account = credentials.find(os.environ)
    if not isinstance(account, keystone.Keystone):
        raise TargetError(
            f"tempest needs a user, a password and a project; {account.who} is not that.",
            "Set OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and OS_PROJECT_NAME.",
        )
    _meet(account, url)
    return runner.run(account, directories, regex, progress, placements=releases.named([release]))


def _meet(cloud: keystone.Keystone, url: str) -> None:
    """Raise TargetError unless gabbi-tempest, which asks the catalog, finds this placement."""
    address = cloud.endpoint("placement", cloud.token())
    if address != url.rstrip("/"):
        raise TargetError(
            f"The suites should run against {url}, but gabbi-tempest takes the address from the "
            f"catalog of keystone at {cloud.url}, which has placement: {address or 'nowhere'}.",
            "Give that address, or the credentials of another cloud.",
        )
