"""The command ``trim``: finds what placement's image can go without."""

import sys
from pathlib import Path

import click

from harness.cli.common import say
from harness.core.files import require_file
from harness.core.paths import SERVICES
from harness.engine import install

CUTS = SERVICES / "placement" / "cuts.txt"


@click.command()
@click.option(
    "--placement",
    "spec",
    default="",
    metavar="SPEC",
    help="The placement (default: the locked one).",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=60,
    show_default=True,
    help="Time for the search. What was found until then is proved.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=CUTS,
    show_default="services/placement/cuts.txt",
    help="The file that the image is built from; it is replaced when all checks have passed.",
)
def trim(spec: str, minutes: float, output: Path) -> None:
    """Find out by trying what placement's image can go without.

    A trim that was broken off goes on where it was.
    """
    from harness.footprint import compare, text
    from harness.trim import flow
    from harness.trim.run import Options

    require_file(output, "--output")
    install.ensure_engine(say)
    outcome = flow.run(Options(spec, minutes * 60), say)
    for line in text.difference(compare.compare(outcome.before, outcome.after)):
        click.echo(line)
    for title, why in outcome.proofs.items():
        click.echo(f"{'FAILED' if why else 'passed'}    {title}{f': {why}' if why else ''}")
    for test in outcome.flaky:
        click.echo(f"left out, since it fails now and then: {test}")
    if not outcome.proved:
        click.echo(f"{output} stays as it is: a check has failed.")
        sys.exit(1)
    output.write_text(outcome.text)
    click.echo(f"{output}: {len(outcome.cuts)} cuts, {outcome.verdicts} verdicts")
