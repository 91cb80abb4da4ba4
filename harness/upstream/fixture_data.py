"""Data of placement's own gabbi fixtures, which can be put into any placement.

Upstream's fixtures start a placement in the process of the tests. Here they run once, in another
process (``fixture_probe``), which writes down the rows, variables and settings that they make. The
result is kept.
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

# Module of the fixtures, directory of the suites, and path of that module in a source tree.
FIXTURES = "placement.tests.functional.fixtures.gabbits"
SUITES = Path("placement/tests/functional/gabbits")
SOURCE = Path("placement/tests/functional/fixtures/gabbits.py")
# The fixture that makes an empty placement.
EMPTY = "APIFixture"
REMEDY = "Install what placement's own suites need: pip install 'placement-harness[upstream]'."
SECONDS = 120
# Number of results that are kept, of some 100 KB each.
KEPT = 12

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Scene:
    """State of a placement when a suite that names this fixture begins.

    ``rows`` holds the rows of each table, with names in place of the ids of traits and resource
    classes. ``environ`` holds the variables that suites read as $ENVIRON. ``profile`` is the
    configuration of placement.
    """

    fixture: str
    rows: Rows
    environ: Mapping[str, str]
    profile: Profile


@dataclass(frozen=True, slots=True, order=True)
class Fixture:
    """A gabbi fixture of placement's: the module's path, and the name of its class."""

    source: Path
    name: str

    def scene(self, progress: Progress | None = None) -> Scene:
        """The state that the fixture sets up.

        Raises UnknownProfileError for a configuration that no profile has, and UsageError if the
        fixtures cannot be used at all.
        """
        snapshot = snapshot_of(self.source, progress)
        data = snapshot["fixtures"][self.name]
        profile = profile_of(self.name, data["settings"], data["rules"], snapshot["legacy_rules"])
        return Scene(self.name, data["rows"], data["environ"], profile)


@cache
def installed_suites() -> Path:
    """Directory of the installed placement's suites. Raises UsageError."""
    spec = find_spec("placement")
    for place in (spec.submodule_search_locations if spec else None) or ():
        suites = Path(place).parent / SUITES
        if suites.is_dir():
            return suites
    raise UsageError("placement's own suites are missing: placement is not installed.", REMEDY)


@dataclass(frozen=True, slots=True)
class OwnSuites:
    """The suites of the placement under test; those of the installed one without a directory."""

    given: Path | None = None

    @property
    def directory(self) -> Path:
        """The directory of these suites. Raises UsageError when there is none."""
        if self.given is None:
            return installed_suites()
        if not self.given.is_dir():
            raise UsageError(
                f"The placement under test has no suites of its own: there is no {self.given}.",
                "Name a directory of suites: --suite DIR.",
            )
        return self.given

    def __contains__(self, suite: Path) -> bool:
        try:
            return suite.parent == self.directory
        except UsageError:
            return False


def source_for(suite: Path) -> Path | None:
    """Path of the module with a suite's fixtures, in the suite's source tree or the installed one.

    None if there is neither.
    """
    beside = suite.parent.parent / "fixtures" / "gabbits.py"
    if beside.is_file() and beside.parts[-len(SOURCE.parts) :] == SOURCE.parts:
        return beside
    try:
        return installed_suites().parent / "fixtures" / "gabbits.py"
    except UsageError:
        return None


@cache
def fixtures_in(source: Path) -> frozenset[str]:
    """Names of the fixtures in a module, which is not imported."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    bases = {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    fixtures = {"GabbiFixture"}
    while more := {name for name, parents in bases.items() if parents & fixtures} - fixtures:
        fixtures |= more
    return frozenset(fixtures - {"GabbiFixture"})


def snapshot_of(source: Path, progress: Progress | None = None) -> Any:
    """Output of ``fixture_probe`` for the fixtures of a module. Raises UsageError."""
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
        snapshot = _take(source, progress)
        _keep(kept, snapshot)
        return snapshot


def _digest(source: Path) -> str:
    """Digest of the probe, and of size and time of all modules of the fixtures' placement."""
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


def _keep(path: Path, snapshot: Any) -> None:
    private_directory(path.parent)
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(snapshot))
    partial.replace(path)
    results = sorted(path.parent.glob("*.json"), key=lambda result: result.stat().st_mtime)
    for old in results[:-KEPT]:
        old.unlink(missing_ok=True)
