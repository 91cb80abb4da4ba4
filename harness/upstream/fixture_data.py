"""What placement's own gabbi fixtures set up, as data that can be put into any placement.

Upstream's fixtures start a placement in the process of the tests. Here they run once, in a process
of their own (``snapshot``), for as long as it takes to write down what they do; the result is kept.
"""

import ast
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.core.evidence import last_lines
from harness.core.files import private_directory
from harness.core.measurements import Progress
from harness.core.paths import state_root
from harness.core.process import run
from harness.placements.source_trees import interpreter_for
from harness.upstream import fixture_probe
from harness.upstream.profiles import Profile, profile_of

# Where they are in a tree of placement's, installed or checked out.
FIXTURES = "placement.tests.functional.fixtures.gabbits"
SUITES = Path("placement/tests/functional/gabbits")
SOURCE = Path("placement/tests/functional/fixtures/gabbits.py")
REMEDY = "Install what placement's own suites need: pip install 'placement-harness[upstream]'."
SECONDS = 120
# Of results that are kept, each some 100 KB.
KEPT = 12

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a suite that names this fixture finds.

    ``rows`` are those of each table, with names in place of ids of traits and resource classes;
    ``environ`` the variables under $ENVIRON; ``profile`` the configuration of placement.
    """

    fixture: str
    rows: Rows
    environ: Mapping[str, str]
    profile: Profile


@dataclass(frozen=True, slots=True, order=True)
class Fixture:
    """One of placement's fixtures, by the module that has it."""

    source: Path
    name: str

    def scene(self, progress: Progress | None = None) -> Scene:
        """What it sets up. Raises UnknownProfileError for a configuration that is not known here,
        and UsageError where fixtures cannot be used at all."""
        found = snapshot_of(self.source, progress)
        one = found["fixtures"][self.name]
        profile = profile_of(self.name, one["settings"], one["rules"], found["legacy_rules"])
        return Scene(self.name, one["rows"], one["environ"], profile)


@cache
def installed_suites() -> Path:
    """The directory of the installed placement's suites. Raises UsageError."""
    spec = find_spec("placement")
    for place in (spec.submodule_search_locations if spec else None) or ():
        suites = Path(place).parent / SUITES
        if suites.is_dir():
            return suites
    raise UsageError("placement's own suites are not there: placement is not installed.", REMEDY)


def choose_suites(suites: Path | None) -> None:
    """Let placement's own suites be those of another placement than the installed one."""
    global _chosen
    _chosen = suites


def chosen_suites() -> Path | None:
    """The directory that ``choose_suites`` was given."""
    return _chosen


_chosen: Path | None = None


def own_suites() -> Path:
    """The directory of the suites of the placement under test. Raises UsageError."""
    if _chosen is None:
        return installed_suites()
    if not _chosen.is_dir():
        raise UsageError(
            f"The placement under test comes without its own suites: there is no {_chosen}.",
            "Name a directory of suites: --suite DIR.",
        )
    return _chosen


def is_own(suite: Path) -> bool:
    """Whether a suite is one of the own ones of the placement under test."""
    try:
        return suite.parent == own_suites()
    except UsageError:
        return False


def source_for(suite: Path) -> Path | None:
    """The module with the fixtures that a suite names: of its own tree, else the installed one."""
    own = suite.parent.parent / "fixtures" / "gabbits.py"
    if own.is_file() and own.parts[-len(SOURCE.parts) :] == SOURCE.parts:
        return own
    try:
        return installed_suites().parent / "fixtures" / "gabbits.py"
    except UsageError:
        return None


@cache
def fixtures_in(source: Path) -> frozenset[str]:
    """The names of the fixtures in a module, without importing it."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    bases = {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    found = {"GabbiFixture"}
    while more := {name for name, parents in bases.items() if parents & found} - found:
        found |= more
    return frozenset(found - {"GabbiFixture"})


def snapshot_of(source: Path, progress: Progress | None = None) -> Any:
    """What the fixtures of a module do, as ``snapshot`` tells it. Raises UsageError."""
    if source not in _snapshots:
        _snapshots[source] = _read(source, progress)
    return _snapshots[source]


_snapshots: dict[Path, Any] = {}


def _read(source: Path, progress: Progress | None) -> Any:
    kept = state_root() / ".scenes" / f"{_digest(source)}.json"
    try:
        return json.loads(kept.read_text())
    except (OSError, ValueError):
        if progress is not None:
            progress("reading placement's fixtures, once")
        found = _take(source, progress)
        _keep(kept, found)
        return found


def _digest(source: Path) -> str:
    """Changes with any module of the placement that the fixtures belong to."""
    digest = hashlib.sha256(Path(fixture_probe.__file__).read_bytes())
    package = source.parents[3]
    for path in sorted(package.rglob("*.py")):
        state = path.stat()
        digest.update(f"{path}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:16]


def _take(source: Path, progress: Progress | None) -> Any:
    root = source.parents[4]
    paths = [str(root), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    outcome = run(
        *(interpreter_for(source, progress), fixture_probe.__file__, FIXTURES),
        seconds=SECONDS,
        environment=environment,
    )
    try:
        if outcome.ok:
            return json.loads(outcome.out)
        problem = "they fail"
    except ValueError:
        problem = "their snapshot is no JSON"
    raise UsageError(
        f"The fixtures of {source} cannot be used: {problem}.",
        REMEDY,
        evidence=last_lines(outcome.err),
    )


def _keep(path: Path, found: Any) -> None:
    private_directory(path.parent)
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(found))
    partial.replace(path)
    others = sorted(path.parent.glob("*.json"), key=lambda one: one.stat().st_mtime)
    for old in others[:-KEPT]:
        old.unlink(missing_ok=True)
