"""Runs a trim: observes, cuts what nothing opens, tries what is imported, and proves the result."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.core.errors import BuildError, UsageError
from harness.core.measurements import Progress
from harness.core.paths import SUITES
from harness.footprint import measure
from harness.footprint.loading import PROBE
from harness.footprint.measure import Footprint
from harness.trim import suites
from harness.trim.journal import Journal
from harness.trim.observed import Observed
from harness.trim.trials import Trials
from harness.trim.workspace import Workspace

# Kinds of cuts of a module that is imported, in the order in which they are tried.
TRIED = ("guarded", "standin")
# Questions about imports in one container.
BATCH = 20
# A module that builds the image of a project, and prints its tag.
IMAGE = "harness.trim.image"
SECONDS = 900.0
NOTHING = "# Nothing is cut.\n"


@dataclass(frozen=True, slots=True)
class Options:
    """``seconds`` limit the search; what was found until then is kept, and proved."""

    spec: str = ""
    seconds: float = 3600.0


class Trim:
    """One trim of one placement."""

    def __init__(self, workspace: Workspace, options: Options, say: Progress) -> None:
        self._workspace = workspace
        self.journal = Journal(workspace.folder / "journal.jsonl")
        self._say = say
        self._options = options
        self._began = time.monotonic()
        self.project = workspace.project("base", NOTHING, on_trial=True)
        self.stays: dict[str, str] = {}
        self.flaky: list[str] = []

    # Before anything is cut

    def base(self) -> Footprint:
        """The footprint of the image from which nothing is cut."""
        path = self._workspace.folder / "base.json"
        if not path.exists():
            self._say("building and measuring the image from which nothing is cut")
            self.measured(self.project, "measured.json")
            (self._workspace.folder / "measured.json").replace(path)
        footprint = measure.saved(path)
        if len(self.journal):
            self._say(f"going on: {len(self.journal)} verdicts are there already")
        return footprint

    def measured(self, project: Path, name: str) -> Footprint:
        """The footprint of the image of a project, which is built."""
        path = self._workspace.folder / name
        spec = ("--placement", self._options.spec) if self._options.spec else ()
        self._workspace.harness(project, "footprint", "--json", str(path), *spec)
        return measure.saved(path)

    def image(self) -> str:
        """The tag of the image from which nothing is cut."""
        outcome = self._workspace.run(self.project, IMAGE, self._options.spec, seconds=SECONDS)
        if not outcome.ok:
            raise BuildError(
                f"The image from which nothing is cut is not there: {outcome.reason}.",
                "Build it: placement-harness footprint shows what goes wrong.",
                evidence=outcome.evidence,
            )
        return outcome.out.split()[-1]

    def observe(self, trials: Trials) -> Observed:
        """The needs of placement in all suites and uses. Raises UsageError for suites that fail."""
        everything = Observed()
        runs: Mapping[str, tuple[list[str], tuple[str, ...]]] = {
            "all suites": ([str(SUITES), "upstream"], ("--replicas", "1")),
            "etcd": ([str(SUITES / "root.yaml")], ("--replicas", "1", "--config-source", "etcd")),
            "the reference": ([str(SUITES / "root.yaml")], ("--target", "reference")),
        }
        for title, (chosen, words) in runs.items():
            self._say(f"observing {title}")
            noted = self.journal.ask(
                f"observe {title}", (), partial(self._observed, trials, chosen, words)
            )
            everything.add(noted["lines"])
            self.flaky += noted["flaky"]
        from harness import attach
        from harness.stack import operations

        database = '{"placement_database/connection": "mysql+pymysql://none@127.0.0.1:1/none"}'
        programs = {
            PROBE: (b"", ("placement.wsgi.api",)),
            Path(operations.__path__[0], "options_inside.py"): (
                b'{"name": null, "value": null}',
                (),
            ),
            Path(attach.__path__[0], "inside.py"): (
                f'{{"settings": {database}, "rows": false}}'.encode(),
                (),
            ),
        }
        for program, (stdin, arguments) in programs.items():
            noted = self.journal.ask(
                f"observe {program.name}",
                (),
                partial(_program, trials, program, stdin, arguments),
            )
            everything.add(noted["lines"])
        return everything

    def _observed(
        self, trials: Trials, chosen: list[str], words: tuple[str, ...]
    ) -> Mapping[str, Any]:
        ran, noted = trials.observe(chosen, *words)
        if not (ran.tests and noted.served):
            raise UsageError(
                f"No request was seen of {ran.tests} tests, before anything was cut.",
                "See what the suites do: placement-harness logs placement.",
            )
        flaky: list[str] = []
        if ran.failed:
            self._say(f"{len(ran.failed)} tests failed with nothing cut: once more")
            again, more = trials.observe(chosen, *words)
            always = sorted({*ran.failed} & {*again.failed})
            if always:
                raise UsageError(
                    f"{len(always)} tests fail before anything is cut: {', '.join(always[:5])}.",
                    "Mend them first: what they test could be cut without being missed.",
                )
            flaky = sorted({*ran.failed} | {*again.failed})
            noted.add(_lines(more))
            self._say(f"left out, since they fail now and then: {', '.join(flaky)}")
        return {"lines": _lines(noted), "flaky": flaky, "tests": ran.tests}

    # Trials

    def imports(self, trials: Trials, sets: Sequence[Sequence[str]]) -> list[Mapping[str, Any]]:
        """Import placement without each of these sets; what is known is not tried again."""
        unknown = [lines for lines in sets if self.journal.known("import", lines) is None]
        for start in range(0, len(unknown), BATCH):
            some, began = unknown[start : start + BATCH], time.monotonic()
            answers = trials.imports(some)
            each = (time.monotonic() - began) / len(some)
            for lines, answer in zip(some, answers, strict=True):
                self.journal.note("import", lines, answer, each)
            self._progress(f"imports: {start + len(some)} of {len(unknown)} candidates tried")
        return [self.journal.ask("import", lines, dict) for lines in sets]

    def passes(self, trials: Trials, cuts: Sequence[str], what: str) -> Mapping[str, Any]:
        """The verdict of quick, all or upstream's suites on a replica without these modules."""

        def answer() -> Mapping[str, Any]:
            if what == "upstream":
                return trials.upstream(cuts)
            return trials.suites(cuts, suites.quick() if what == "quick" else [str(SUITES)])

        self._progress(f"{what}: {len(cuts)} cuts on trial")
        verdict = self.journal.ask(what, cuts, answer)
        failed = [test for test in verdict["failed"] if test not in self.flaky]
        if failed:
            first = " ".join(failed[0].split())[:100]
            self._progress(f"{what}: {len(failed)} failed, the first is {first}")
        return {**verdict, "failed": failed}

    @property
    def late(self) -> bool:
        return time.monotonic() - self._began > self._options.seconds

    @property
    def verdicts(self) -> int:
        """The number of verdicts; those of imports alone are not counted."""
        return self.journal.runs

    def _progress(self, line: str) -> None:
        seconds = max(0.0, self._options.seconds - (time.monotonic() - self._began))
        self._say(f"{line} ({self.verdicts} verdicts, {seconds / 60:.0f} min left)")


def _program(
    trials: Trials, program: Path, stdin: bytes, arguments: tuple[str, ...]
) -> Mapping[str, Any]:
    return {"lines": _lines(trials.observe_program(program, stdin, *arguments))}


def _lines(noted: Observed) -> list[str]:
    return [
        *(f"import {name}" for name in sorted(noted.imports)),
        *(f"open {path}" for path in sorted(noted.opened)),
        *(f"load {path} {name}" for path, name in noted.loaded.items()),
        *(f"serve {path} {name}" for path, name in noted.served.items()),
    ]
