"""The command ``matrix``: chooses the cells, and shows and saves their results."""

import functools
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.common import say
from harness.core.errors import RunnerError, UsageError
from harness.core.files import require_directory

if TYPE_CHECKING:
    from harness.matrix.cells import Cell
    from harness.matrix.report import Matrix
    from harness.matrix.runner import Options

OUTPUT = "placement-matrix"
# Options of pytest that the matrix itself sets.
OURS = ("--junit-xml", "--junitxml", "--run-report")
UPSTREAM = ("upstream",)


several = functools.partial(click.option, multiple=True, metavar="NAME[,NAME...]")


@click.command()
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option("--cells", metavar="all|smoke|FILE", help="A named set of cells, or a file of cells.")
@several("--database", help="With these databases.")
@several("--config-source", help="With these configuration sources.")
@several(
    "--placement",
    metavar="SPEC[+SPEC][,...]",
    help="With these placements; SPEC+SPEC run side by side in one stack.",
)
@several("--replicas", metavar="N[,N...]", help="With these numbers of replicas.")
@click.option("--only", metavar="REGEX", help="Run only cells whose name matches.")
@click.option("--suite", "suites", multiple=True, help="Suites to run.  [default: upstream]")
@click.option("-n", "workers", metavar="N", help="Number of lanes (pytest-xdist).")
@click.option(
    *("--timeout", "seconds"),
    type=click.FloatRange(min=0, min_open=True),
    default=1800,
    show_default=True,
    help="Time limit of a cell, in seconds.",
)
@click.option(
    *("--output", "folder"),
    type=click.Path(path_type=Path),
    default=OUTPUT,
    show_default=True,
    help="The directory of the results.",
)
@click.option("--list", is_flag=True, help="Print the cells; run nothing.")
@click.option("--github", is_flag=True, help="Print a workflow for GitHub Actions.")
@click.option("--zuul", is_flag=True, help="Print jobs for Zuul.")
def matrix(**given: Any) -> None:
    """Run the same suites on many kinds of stacks.

    The cells are those of a named set or a file, or all combinations of the options' values; by
    default they are the set `all`. Words after `--` go to pytest.
    """
    sys.exit(_matrix(given))


def _matrix(given: Mapping[str, Any]) -> int:
    """Carry out the command, and return its exit code."""
    from harness.matrix import ci
    from harness.matrix.cells import Axes, chosen
    from harness.matrix.runner import Options

    axes = Axes(given["database"], given["config_source"], given["placement"], given["replicas"])
    cells = chosen(given["cells"], axes, given["only"])
    formats = [f"--{name}" for name in ("list", "github", "zuul") if given[name]]
    if len(formats) > 1:
        raise UsageError(f"{' and '.join(formats)} make no sense together.", "Give one of them.")
    _check(given["words"], given["workers"])
    options = Options(
        folder=given["folder"].expanduser().absolute(),
        suites=given["suites"] or UPSTREAM,
        workers=given["workers"],
        words=given["words"],
        seconds=given["seconds"],
    )
    written = shlex.join(["placement-harness", *sys.argv[1:]])
    if given["github"]:
        click.echo(ci.github(cells, options, written), nl=False)
    elif given["zuul"]:
        click.echo(ci.zuul(cells, options, written), nl=False)
    elif given["list"]:
        width = max(len(cell.name) for cell in cells)
        for cell in cells:
            click.echo(f"{cell.name:{width}}  {shlex.join(cell.options)}")
    else:
        return _run(cells, options, written)
    return 0


def _check(words: Sequence[str], workers: str | None) -> None:
    from harness.matrix.cells import BUILT_IN

    for word in words:
        if word.partition("=")[0] in OURS:
            raise UsageError(
                f"{word} is the matrix's own: it writes one for each cell, and one for all.",
                "Leave it away, and name the directory with --output DIR.",
            )
        if word in BUILT_IN:
            raise UsageError(f"{word} would be a file for pytest.", f"Did you mean --cells {word}?")
    if workers in ("auto", "logical", None):
        return
    if not workers.isdecimal() or not int(workers):
        raise UsageError(f"-n {workers} makes no sense.", "Give a number, or auto.")


def _run(cells: Sequence["Cell"], options: "Options", written: str) -> int:
    try:
        from harness.report import junit
    except ImportError as error:
        raise RunnerError(
            f"The JUnit file of all cells cannot be written: {error}.",
            "Install the missing packages: pip install 'placement-harness[matrix]'.",
        ) from error
    from harness.matrix import progress, report, runner

    require_directory(options.folder, "--output")
    began, started = time.monotonic(), datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")

    def found(results: Sequence[runner.Result]) -> "Matrix":
        seconds = time.monotonic() - began
        return report.Matrix(written, started, seconds, cells, options, results)

    def save(results: Sequence[runner.Result]) -> None:
        made = found(results)
        report.save(made, junit.document(report.suites(made), "placement-harness matrix"))

    watcher = progress.watcher(say)
    try:
        results, interrupted = runner.run(cells, options, watcher, save)
    finally:
        watcher.close()
    made = found(results)
    report.show(made)
    say(f"the results are in {options.folder}: matrix.json, matrix.md, junit.xml")
    if interrupted:
        raise KeyboardInterrupt
    return made.verdict.exit_code
