"""The file that says what is cut from placement's image, and why (services/placement/cuts.txt)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import UsageError
from harness.core.paths import SERVICES

# Reasons: kind of a cut -> its meaning. The image's own words are in left_out.py.
KINDS: Mapping[str, str] = {
    "unopened": "No process of placement opened it: in all suites, with each configuration source, "
    "as the reference, nor in the harness's own questions.",
    "guarded": "It is imported, and its importers do without it.",
    "standin": "It is imported, and nothing of it is used: an empty module takes its place.",
    "late": "It is imported, and used by no request: it stays, and its first use imports it.",
}


@dataclass(frozen=True, slots=True, order=True)
class Cut:
    """One cut.

    ``root`` is site (site-packages) or lib (the standard library). ``what`` is a glob pattern of
    paths below it if nothing has opened them, else the name of a module. ``version`` is the one
    that was tried, e.g. SQLAlchemy==2.1.9. ``bytes`` and ``modules`` are what it saves by itself.
    """

    kind: str
    root: str
    what: str
    version: str = ""
    note: str = field(default="", compare=False)

    @property
    def line(self) -> str:
        """The cut, as replicas under trial and left_out.py have it."""
        return f"{self.kind} {self.what}"


def read(path: Path) -> list[Cut]:
    """The cuts of a file. Raises UsageError for a line that is none."""
    cuts = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        written, _, note = line.partition("#")
        words = written.split()
        if not words:
            continue
        if len(words) not in (3, 4) or words[0] not in KINDS or words[1] not in ("site", "lib"):
            raise UsageError(
                f"{path}:{number} is no cut: {line.strip()}.",
                "A cut is KIND ROOT WHAT [VERSION]; let placement-harness trim write the file.",
            )
        kind, root, what, *version = words
        cuts.append(Cut(kind, root, what, "".join(version), note.strip()))
    return cuts


def kept() -> set[str]:
    """The modules that stay whatever is found (services/placement/keep.txt)."""
    lines = (SERVICES / "placement" / "keep.txt").read_text().splitlines()
    return {words[0] for line in lines if (words := line.partition("#")[0].split())}


def text(cuts: Sequence[Cut], head: Iterable[str]) -> str:
    """The file with these cuts, and a head of comments."""
    return "\n".join([*(f"# {line}".rstrip() for line in head), *_lines(cuts), ""])


def _lines(cuts: Sequence[Cut]) -> Iterator[str]:
    for kind, meaning in KINDS.items():
        some = sorted(cut for cut in cuts if cut.kind == kind)
        if not some:
            continue
        yield from ("", f"# {kind}: {meaning}")
        for cut in some:
            words = " ".join(filter(None, (cut.kind, cut.root, cut.what, cut.version)))
            yield f"{words}  # {cut.note}" if cut.note else words
