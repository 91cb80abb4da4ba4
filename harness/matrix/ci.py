"""Prints cells as jobs of GitHub Actions and of Zuul: files for users to copy."""

import re
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from harness.core.errors import UsageError
from harness.matrix.cells import BESIDE, Cell
from harness.matrix.runner import SECONDS, Options

# Directory of the harness's checkout. The workspace holds the project under test.
HARNESS = "placement-harness"
HEAD = """\
# Printed by: {written}
# Each cell is a job: a fresh stack, the suites, a JUnit file. Change what you like.
"""
GITHUB = """\
name: placement matrix

"on":
  push:
  pull_request:

permissions:
  contents: read

jobs:
  placement:
    name: ${{{{ matrix.cell }}}}
    runs-on: ubuntu-24.04
    timeout-minutes: {minutes}
    strategy:
      # One cell that fails says nothing about the others.
      fail-fast: false
      matrix:
        include:
{cells}
    steps:
    - uses: actions/checkout@v4
      with:
        # placement's version is its last tag: `--placement .` needs the tags.
        fetch-depth: 0
    # Where your copy of the harness is; not needed in the harness's own repository.
    - uses: actions/checkout@v4
      with:
        repository: ${{{{ vars.PLACEMENT_HARNESS || 'YOUR-ORGANISATION/placement-harness' }}}}
        path: {harness}
    - uses: actions/setup-python@v5
      with:
        python-version: "3.13"
    - name: set up
      run: make -C {harness} setup
    - name: run
      env:
        # Not in the line itself: no value can then become a command.
        OPTIONS: ${{{{ matrix.options }}}}
      run: >-
        {harness}/.venv/bin/placement-harness matrix
        --output results $OPTIONS{rest}
    - uses: actions/upload-artifact@v4
      if: always()
      with:
        name: ${{{{ matrix.cell }}}}
        path: results
"""
ZUUL = """\
# Beside it stands playbooks/placement-matrix.yaml, which docs/ci.md shows.
- job:
    name: placement-matrix
    abstract: true
    description: Placement's suites on a stack of containers.
    run: playbooks/placement-matrix.yaml
    # The harness, where your Zuul knows it.
    required-projects:
    - placement-harness
    nodeset:
      nodes:
      - name: stack
        label: ubuntu-noble
    timeout: {seconds}
"""
# Words that a shell takes literally, without quotes.
PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def github(cells: Sequence[Cell], options: Options, written: str) -> str:
    """A workflow's file. Raises UsageError for options that its shell would split or replace."""
    for cell in cells:
        _require_plain(cell, options)
    listed = [{"cell": cell.name, "options": _options(cell, options)} for cell in cells]
    return HEAD.format(written=written) + GITHUB.format(
        cells=textwrap.indent(_yaml(listed).rstrip(), " " * 8),
        harness=HARNESS,
        minutes=_seconds(options) // 60,
        rest=_rest(options),
    )


def zuul(cells: Sequence[Cell], options: Options, written: str) -> str:
    """A job for each cell, their parent, and the project's pipeline."""
    names = [f"placement-matrix-{re.sub(r'[^A-Za-z0-9._-]', '-', cell.name)}" for cell in cells]
    jobs: list[Mapping[str, Any]] = [
        {
            "job": {
                "name": name,
                "parent": "placement-matrix",
                "vars": {"placement_matrix_options": _options(cell, options) + _rest(options)},
            }
        }
        for name, cell in zip(names, cells, strict=True)
    ]
    jobs.append({"project": {"check": {"jobs": names}}})
    return (
        HEAD.format(written=written)
        + ZUUL.format(seconds=_seconds(options))
        + "".join(f"\n{_yaml([job])}" for job in jobs)
    )


def _require_plain(cell: Cell, options: Options) -> None:
    for word in (*cell.placements, *(cell.suites or options.suites)):
        if not PLAIN.fullmatch(word):
            raise UsageError(
                f"A workflow cannot have {word!r} in it: its shell would not leave that as it is.",
                "Give a name of letters, digits, / . _ + and -.",
            )


def _options(cell: Cell, options: Options) -> str:
    """Options of `matrix` that make this one cell."""
    words = [
        *("--database", cell.database),
        *("--config-source", cell.config_source),
        *(("--placement", BESIDE.join(cell.placements)) if cell.placements else ()),
        *("--replicas", str(cell.replicas)),
        *(word for suite in cell.suites or options.suites for word in ("--suite", suite)),
    ]
    return shlex.join(words)


def _rest(options: Options) -> str:
    """Options that all cells share."""
    words = ["-n", options.workers] if options.workers else []
    words += ["--timeout", f"{options.seconds:g}"] if options.seconds != SECONDS else []
    words += ["--", *options.words] if options.words else []
    return f" {shlex.join(words)}" if words else ""


def _seconds(options: Options) -> int:
    # A job also sets the harness up, which takes minutes from nothing.
    return int(options.seconds) + 900


def _yaml(data: object) -> str:
    text: str = yaml.safe_dump(data, sort_keys=False, default_flow_style=False, width=1000)
    return text
