"""The commands ``diff`` and ``export``, which compare and convert recordings."""

import json
import sys
from pathlib import Path

import click

from harness.parity import har, offline, text
from harness.parity.outcome import as_data, as_page
from harness.parity.recording import Recording, refuse_existing


@click.command()
@click.argument("left", metavar="A")
@click.argument("right", metavar="B")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page that shows it: one HTML file, which needs no network.",
)
def diff(left: str, right: str, as_json: bool, report: Path | None) -> None:
    """Compare two recordings.

    A and B are files, or `devstack`, which comes with the harness. Exits with 0 if all answers are
    the same or differ as declared, and with 1 if others differ or if there was nothing to compare.
    """
    outcome = offline.diff(offline.found_recording(left), offline.found_recording(right))
    if report is not None:
        report.write_text(as_page(outcome))
    if as_json:
        click.echo(json.dumps(as_data(outcome), indent=2))
    else:
        for line in (*text.causes(outcome), *text.summary(outcome)):
            click.echo(line)
    if not outcome.ok:
        sys.exit(1)


@click.command()
@click.argument("recording")
@click.option("--har", "as_har", is_flag=True, required=True, help="Write HAR 1.2.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write (default: standard output).",
)
def export(recording: str, as_har: bool, output: Path | None) -> None:
    """Write a recording in a format of other tools (HAR)."""
    log = har.text(Recording(offline.found_recording(recording)))
    if output is None:
        click.echo(log)
    else:
        refuse_existing(output, "--output")
        output.write_text(log)
