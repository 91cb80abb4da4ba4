"""The command ``footprint``: what an image of placement holds, imports and reads."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.common import named, running, say
from harness.core.errors import UsageError
from harness.core.files import require_file
from harness.engine import install
from harness.engine.docker import current

if TYPE_CHECKING:
    from harness.footprint.measure import Footprint

FIELDS = ("distribution", "package", "path")


@click.command()
@click.option(
    "--placement", "spec", metavar="SPEC", help="The placement (default: the locked one)."
)
@click.option("--image", metavar="IMAGE", help="Any image of placement.")
@click.option(
    *("--compare", "--against", "base"),
    metavar="SPEC|FILE",
    help="Show what has changed since this placement, or since a footprint saved with --json.",
)
@click.option("--by", "field", type=click.Choice(FIELDS), default=FIELDS[0], show_default=True)
@click.option("--rows", type=click.IntRange(1), default=15, show_default=True)
@click.option(
    *("--json", "document"),
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all figures, for --compare; a file that is there is replaced.",
)
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with a treemap and the import graph; a file that is there is replaced.",
)
@click.option("--max-size", metavar="SIZE", help="Exit with 1 if the image is larger, e.g. 60MB.")
@click.option(
    "--max-modules", type=click.IntRange(1), metavar="N", help="Exit with 1 if more are imported."
)
@click.option(
    "--processes",
    is_flag=True,
    help="Show the memory of each process of a stack that runs, in place of an image.",
)
@named
def footprint(
    spec: str | None,
    image: str | None,
    base: str | None,
    field: str,
    rows: int,
    document: Path | None,
    page: Path | None,
    max_size: str | None,
    max_modules: int | None,
    processes: bool,
    name: str,
) -> None:
    """Show what placement's image consists of, and what it imports.

    It also shows which options placement reads. Sizes add up to the image's, to the byte.
    """
    from harness.footprint import compare, gate, pages, text

    if processes:
        _show_processes(name, document)
        return
    if spec is not None and image is not None:
        raise UsageError("--placement and --image name two images.", "Give one of them.")
    limits = gate.Limits(gate.size(max_size) if max_size else None, max_modules)
    for path, option in ((document, "--json"), (page, "--page")):
        if path is not None:
            require_file(path, option)
    install.ensure_engine(say)
    measured = _measured(spec or "", image)
    since = compare.compare(_base(base), measured) if base else None
    lines = text.difference(since, rows) if since else text.sizes(measured, field, rows)
    for line in (*text.summary(measured), "", *lines):
        click.echo(line)
    if document:
        document.write_text(text.document(measured))
    if page:
        page.write_text(pages.page(measured))
    beyond = [*gate.beyond(measured, limits, since)]
    for line in beyond:
        # GitHub shows such a line beside the change.
        mark = "::error title=footprint::" if os.environ.get("GITHUB_ACTIONS") else "LIMIT: "
        click.echo(f"{mark}{line}")
    sys.exit(1 if beyond else 0)


def _show_processes(name: str, document: Path | None) -> None:
    from harness.footprint import text
    from harness.footprint.processes import of_stack

    others = ("spec", "image", "base", "page", "max_size", "max_modules")
    context = click.get_current_context()
    if any(context.params[other] is not None for other in others):
        raise UsageError(
            "--processes shows a stack that runs, and takes no options but --name and --json.",
            "Leave the other options out.",
        )
    if document is not None:
        require_file(document, "--json")
    processes = of_stack(running(name))
    for line in text.processes(processes):
        click.echo(line)
    if document is not None:
        document.write_text(json.dumps([asdict(process) for process in processes], indent=1))


def _measured(spec: str, image: str | None) -> "Footprint":
    from harness.footprint import measure

    if image is not None:
        return measure.of_image(image, current())
    return measure.of_placement(spec, current(), say)


def _base(written: str) -> "Footprint":
    """The footprint that another one is compared with: of a file, or of a placement."""
    from harness.footprint import measure

    path = Path(written)
    if path.is_file() and path.suffix == ".json":
        return measure.saved(path)
    return measure.of_placement(written, current(), say)
