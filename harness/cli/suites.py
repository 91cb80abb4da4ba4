"""Commands that run suites otherwise than pytest does: under tempest, and to measure."""

import sys
from pathlib import Path

import click

from harness.cli.common import named, running, say
from harness.core.errors import UsageError


@click.command()
@click.argument(
    "directories", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@named
@click.option("--url", help="Address of another placement; credentials are in OS_* variables.")
@click.option("--release", default="", help="The release of the placement at --url.")
@click.option("--regex", help="Only the suites whose file name matches.")
@click.option(
    "--junit-xml", type=click.Path(dir_okay=False, path_type=Path), help="JUnit file to write."
)
@click.pass_context
def tempest(
    context: click.Context,
    directories: tuple[Path, ...],
    name: str,
    url: str | None,
    release: str,
    regex: str | None,
    junit_xml: Path | None,
) -> None:
    """Run suites under tempest, with gabbi-tempest.

    The suites are those of ./gabbits, or of other directories.
    """
    from harness.cli import tempest

    if url and context.get_parameter_source("name") is click.core.ParameterSource.COMMANDLINE:
        raise UsageError("--url and --name make no sense together.", "Leave one of the two away.")
    if release and not url:
        raise UsageError(
            f"--release {release} makes no sense without --url: a stack's release is known.",
            "Leave it away.",
        )
    where = url or running(name)
    if not tempest.tempest(directories, where, regex, junit_xml, say, release):
        sys.exit(1)


@click.command()
@click.option("--starts", default=10, show_default=True, help="Number of starts to measure.")
@click.option(
    "--suites", is_flag=True, help="Measure placement's own suites, beside upstream's command."
)
@click.option("--rounds", default=3, show_default=True, help="Number of rounds, with --suites.")
def bench(starts: int, suites: bool, rounds: int) -> None:
    """Measure starts, client time and image sizes on this machine."""
    if suites:
        from harness.bench import upstream_suites as placements

        placements.run(rounds, say)
    else:
        from harness.bench import startup

        startup.run(starts, say)
