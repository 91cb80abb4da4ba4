"""The files of a trim: copies of the project, notes of replicas, the journal; and its commands.

The commands that a trim starts are the harness's own, on a copy of the project (compose.yaml and
services/) in which other cuts are made. So a verdict comes from what users run, too.
"""

import hashlib
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from harness.config.plan import NAME_VARIABLE
from harness.core import process
from harness.core.disk import stop_if_full
from harness.core.environment import inherited
from harness.core.errors import StackError, UsageError
from harness.core.evidence import last_lines
from harness.core.files import private_directory
from harness.core.locks import FileLock
from harness.core.paths import COMPOSE_FILE, COMPOSE_LOCK, PROJECT_VARIABLE, SERVICES, state_root
from harness.placements import checkout, specs
from harness.placements.model import Placement
from harness.stack.settings import reference

INSIDE = Path(__file__).with_name("inside")
CUTS, EXPLAINER = "cuts.txt", "left_out.py"
# Files that say what is cut, and how. Verdicts hold whatever they say.
CUTTING = ("cut.py", "keep.txt")
NO_PART = shutil.ignore_patterns("__pycache__", "tests", ".*_cache")
PYTHON = "/opt/placement/bin/python"
SERVE, REFERENCE = "/opt/placement/serve.py", "/opt/placement/reference.py"
# Folders of a replica under trial: the script and the cuts, and what it writes.
GIVEN, WRITTEN = "/trim", "/trim-out"


class Workspace:
    """The directory of the trim of one placement, and the lock on it."""

    def __init__(self, spec: str) -> None:
        self.spec = spec
        self.key = _digest(specs.resolve(spec))
        self.name = f"trim-{self.key[:8]}"
        self.folder = state_root() / ".trim" / self.key
        self.given, self.written = self.folder / "given", self.folder / "written"
        private_directory(self.folder)
        self._lock = FileLock(self.folder / "lock")

    def __enter__(self) -> "Workspace":
        if not self._lock.take():
            raise UsageError(
                f"Another trim of this placement runs, process {self._lock.holder()}.",
                "Wait for it, or end it: its verdicts are kept.",
            )
        # These two are mounted into containers, whose processes are of another user.
        for folder, mode in ((self.given, 0o755), (self.written, 0o777)):
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
        shutil.copy(INSIDE / "replica.py", self.given)
        shutil.copy(SERVICES / "placement" / EXPLAINER, self.given)
        for path in self.given.iterdir():
            path.chmod(0o644)
        self.let_go([])
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def let_go(self, lines: Sequence[str]) -> None:
        """What replicas under trial go without, from their next start on."""
        path = self.given / CUTS
        path.write_text("".join(f"{line}\n" for line in lines))
        path.chmod(0o644)

    def project(self, name: str, cuts: str, *, on_trial: bool = False) -> Path:
        """A copy of the project with these cuts; ``on_trial`` is for replicas that note things."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(SERVICES, folder / "services", ignore=NO_PART)
        (folder / "requirements").mkdir()
        shutil.copy(COMPOSE_LOCK, folder / "requirements")
        service = folder / "services" / "placement"
        (service / CUTS).write_text(cuts)
        if on_trial:
            # Nothing is cut, and an edit of these files makes no other image.
            for name in CUTTING:
                (service / name).write_text("")
        shutil.copy(COMPOSE_FILE, folder)
        if on_trial:
            self._on_trial(folder / COMPOSE_FILE.name, "placement", SERVE)
            overlay = folder / reference.OVERLAY.relative_to(SERVICES.parent)
            self._on_trial(overlay, reference.PLACEMENT, REFERENCE)
        return folder

    def _on_trial(self, path: Path, name: str, program: str) -> None:
        """Let the containers of a service note what they need, and go without what is cut."""
        project = yaml.safe_load(path.read_text())
        service = project["services"][name]
        service["entrypoint"] = [PYTHON, f"{GIVEN}/replica.py", program]
        mounts = [f"{self.given}:{GIVEN}:ro", f"{self.written}:{WRITTEN}"]
        service["volumes"] = [*service.get("volumes", []), *mounts]
        path.write_text(yaml.safe_dump(project, sort_keys=False))

    def environment(self, project: Path, name: str | None = None) -> Mapping[str, str]:
        return {
            **{key: value for key, value in inherited().items() if not key.startswith("PYTEST_")},
            PROJECT_VARIABLE: str(project),
            NAME_VARIABLE: name or self.name,
            "PYTHONUNBUFFERED": "1",
        }

    def run(
        self, project: Path, *words: str, seconds: float, name: str | None = None
    ) -> process.Outcome:
        """Run a Python module with this project: pytest, or harness.cli."""
        return process.run(
            *(sys.executable, "-P", "-m", *words),
            seconds=seconds,
            environment=self.environment(project, name),
            folder=self.folder,
        )

    def harness(self, project: Path, *words: str, seconds: float = 900) -> process.Outcome:
        """Run a command of the harness. Raises StackError when it fails."""
        outcome = self.run(project, "harness.cli", *words, seconds=seconds)
        stop_if_full(f"placement-harness {words[0]}", outcome)
        if not outcome.ok:
            raise StackError(
                f"placement-harness {words[0]} has failed with the image that is to be trimmed.",
                "Its last lines are below. The verdicts so far are kept: trim goes on from there.",
                evidence=last_lines(outcome.text),
            )
        return outcome


def _digest(placement: Placement) -> str:
    """Digest of all that verdicts hold for: the services but for their cuts, and the placement."""
    digest = hashlib.sha256(f"{placement.version} {placement.kind}".encode())
    digest.update(placement.lock.read_bytes())
    package = placement.tree / "placement"
    digest.update(checkout.digest_of(package, checkout.package_files(package)).encode())
    for path in sorted(SERVICES.rglob("*")):
        parts = path.relative_to(SERVICES).parts
        if path.is_file() and "__pycache__" not in parts and path.name not in (CUTS, *CUTTING):
            digest.update("/".join(parts).encode() + path.read_bytes())
    return digest.hexdigest()[:16]
