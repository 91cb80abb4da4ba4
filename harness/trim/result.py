"""What a trim has found, as the file that the image is built from."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from harness.footprint.measure import Footprint
from harness.trim import cuts
from harness.trim.cuts import Cut
from harness.trim.imported import Choice
from harness.trim.modules import File, Graph, is_below, patterns, version_of
from harness.trim.observed import Observed


def found(
    files: Sequence[File],
    graph: Graph,
    noted: Observed,
    choices: Sequence[Choice],
    fallen: Sequence[str],
    python: str,
) -> list[Cut]:
    """All cuts: what nothing opens, and the choices. ``fallen`` are modules that choices let fall.

    A file stays if it was opened, or is a module that was imported or asked for.
    """
    gone = {choice.candidate.module for choice in choices}
    needed = (noted.imports | {*graph.paths}) - {*fallen}
    unopened = [
        file
        for file in files
        if not is_below(file.module, gone)
        and file.module not in needed
        and not _opened(file, noted)
    ]
    all_cuts = [Cut("unopened", root, what) for root, what in patterns(unopened, files)]
    roots = {file.module: file.root for file in files if file.module}
    for choice in choices:
        module = choice.candidate.module
        count, size = len(choice.candidate.falls), choice.candidate.size
        all_cuts.append(
            Cut(
                choice.kind,
                roots.get(module, "site"),
                module,
                version_of(module, graph, python),
                f"{count} modules, {size // 1000} kB",
            )
        )
    return all_cuts


def _opened(file: File, noted: Observed) -> bool:
    prefix = "site-packages/" if file.root == "site" else "/usr/lib/python3"
    # A source is opened for a traceback, too; an import is what counts for a module.
    if file.module:
        return False
    return any(path.endswith(f"/{file.path}") and prefix in path for path in noted.opened)


def text(
    base: Footprint,
    some: Sequence[Cut],
    stays: Mapping[str, str],
    proofs: Mapping[str, str],
    verdicts: int,
) -> str:
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    head = [
        f"Cuts from placement's image, written by `placement-harness trim`, {day}.",
        "",
        f"Tried with {base.title}, Python {base.loading.python}, by {verdicts} verdicts.",
        f"With nothing cut, it has {base.size} bytes and imports {len(base.modules)} modules.",
        "",
        "A line is KIND ROOT WHAT [VERSION]; ROOT is site (site-packages) or lib (the standard",
        "library). keep.txt names what stays all the same. A cut whose reason does not hold for",
        "another placement is not made there (cut.py).",
        *(["", "Proved with:", *(f"- {title}" for title in proofs)] if proofs else []),
    ]
    lines = [cuts.text(some, head), "# What stays, of what was tried:"]
    lines += [f"# stays {module}: {_short(why)}" for module, why in sorted(stays.items())]
    return "\n".join([*lines, ""])


def _short(why: str) -> str:
    return " ".join(why.split())[:200]
