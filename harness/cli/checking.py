"""The work of the command ``check``: stacks for its runs, their output, the exit code."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import click

from harness import targets
from harness.cli.common import say
from harness.config.plan import Plan
from harness.consistency import check, cloud, known_runs, page, reading, text
from harness.consistency import shrink as violations
from harness.consistency.check import Checked, Place
from harness.consistency.cloud import Cloud
from harness.consistency.cluster import Cluster
from harness.consistency.faults import Fault
from harness.consistency.judge import Judgement
from harness.consistency.known import Defect
from harness.consistency.races import table
from harness.consistency.runner import Settings
from harness.core.errors import UsageError
from harness.core.signals import shielded
from harness.core.words import counted
from harness.stack.lifecycle import reuse
from harness.targets.base import Target
from harness.targets.stack import StackTarget

# Settings of the stack that the title of a check names.
TITLE = ("placement", "replicas", "database")


@dataclass(slots=True)
class Run:
    """Settings that all checks of a command share, and the checks that were made."""

    seed: str
    clients: int | None
    rounds: int | None
    folder: Path
    record: Sequence[Defect]
    faults: Sequence[Fault] = ()
    # Whether ``faults`` are all that there are, of which a stack may lack some.
    fitting: bool = False
    made: list[Checked] = field(default_factory=list)
    # The faults that the present stack can have.
    _injected: Sequence[Fault] = ()

    @contextmanager
    def on(self, plan: Plan) -> Iterator[Cluster]:
        """A stack that is up, and can have the faults."""
        target = StackTarget(reuse.adopted(plan), say)
        try:
            target.start()
            cluster = Cluster(target)
            self._injected = [*self._possible(cluster)]
            say(_title(target, self.seed))
            yield cluster
        finally:
            shielded(target.stop)

    @contextmanager
    def on_cloud(self, plan: Plan) -> Iterator[Cloud]:
        """A live placement; what the runs have made there is deleted afterwards."""
        target = targets.make(plan, say)
        target.start()
        place = Cloud(target)
        say(_title(target, self.seed))
        try:
            yield place
        finally:
            count = shielded(place.clean)
            say(f"{counted(count, 'thing')} that this check may have made: gone again")

    def _possible(self, cluster: Cluster) -> Iterator[Fault]:
        """The faults that a stack can have. Raises UsageError for one that was named, else."""
        for fault in self.faults:
            try:
                fault.require(cluster)
            except UsageError as error:
                if not self.fitting:
                    raise
                say(f"left out: {error}")
                continue
            yield fault

    def make(self, workloads: Sequence[str], place: Place, seconds: float) -> list[Checked]:
        """Run workloads, side by side where faults strike them; show what is said of each."""
        made = []
        for beside in [workloads] if self._injected else [[name] for name in workloads]:
            clients = self._clients(place, len(beside))
            settings = Settings(self.seed, seconds, clients, self.rounds)
            made += check.check(
                beside, settings, place, self.folder, say, self._injected, self.record
            )
            for checked in made[-len(beside) :]:
                self.made.append(_shown(checked))
        return made

    def shrink(self, checked: Checked, place: Place, seconds: float) -> None:
        """Run what was violated with fewer clients, and write the fewest calls that show it."""
        if violations.violation_of(checked) is None:
            return
        workload, clients = str(checked.header["workload"]), int(checked.header["clients"])

        def again(fewer: int) -> Checked:
            smaller = replace(self, clients=fewer, made=[])
            (made,) = smaller.make([workload], place, seconds)
            return made

        smallest, clients = violations.fewer_clients(checked, clients, again)
        say(f"violated with {counted(clients, 'client')}")
        shrink([smallest])

    def _clients(self, place: Place, beside: int) -> int:
        """Number of clients of each of so many workloads that run side by side."""
        if isinstance(place, Cloud):
            return self.clients or cloud.CLIENTS
        if beside > 1:
            return self.clients or max(check.CLIENTS_BESIDE, place.replicas)
        return self.clients or check.CLIENTS * place.replicas


def saved(path: Path, record: Sequence[Defect]) -> Checked:
    """Judge a saved history, and show what is said of it. Raises UsageError."""
    return _shown(check.judged(path, record))


def shrink(checks: Sequence[Checked]) -> None:
    """Write the fewest calls that show a violation, for each check that has one, and show them."""
    for checked in checks:
        if violations.violation_of(checked) is not None:
            path = checked.path.with_name(f"{checked.path.stem}-smallest.jsonl")
            _shown(violations.fewest_calls(checked, path))


def _shown(checked: Checked) -> Checked:
    for line in text.lines(checked):
        click.echo(line)
    return checked


def conclude(made: Sequence[Checked], findings: Path | None, shown: Path | None) -> NoReturn:
    """Write the table of races and the page, if wanted, and exit with the worst judgement."""
    if shown is not None:
        shown.write_text(page.page(made))
        click.echo(f"page: {shown}")
    if findings is not None:
        read = [reading.read(checked.path) for checked in made]
        races = [entry for entry in read if entry.header["workload"] == "races"]
        if not races:
            raise no_races(findings)
        findings.write_text("\n".join(table.document(races)) + "\n")
    _exit(Judgement.worst(checked.report.judgement for checked in made))


def conclude_known(run: Run, plans: Sequence[Plan], seconds: float | None) -> NoReturn:
    """Run the known defects on a stack for each plan, say which occur, and exit.

    A promise that a short run does not decide is no finding here; one that was broken in a way
    that is not known fails.
    """
    occurrences = []
    for plan in plans:
        with run.on(plan) as cluster:
            placements = [placement.title for placement in cluster.stack.record.placements]
            make = partial(_made, run, cluster)
            longest = seconds or known_runs.LONGEST
            for occurrence in known_runs.occurrences(
                run.record, plan.database, placements, make, longest
            ):
                occurrences.append(occurrence)
                click.echo(f"  {occurrence}")
    judgements = [checked.report.judgement for checked in run.made]
    for occurrence in occurrences:
        click.echo(str(occurrence))
    violated = [Judgement.VIOLATED] if Judgement.VIOLATED in judgements else []
    _exit(Judgement.worst([*violated, *(occurrence.judgement for occurrence in occurrences)]))


def _made(run: Run, cluster: Cluster, workload: str, seconds: float) -> Checked:
    (made,) = run.make([workload], cluster, seconds)
    return made


def _exit(judgement: Judgement) -> NoReturn:
    click.echo(f"check: {judgement}")
    sys.exit(judgement.exit_code)


def _title(target: Target, seed: str) -> str:
    parts = [
        f"{setting.name} {setting.value}" for setting in target.settings() if setting.name in TITLE
    ]
    return f"{', '.join(parts)}, seed {seed}"


def no_races(findings: Path) -> UsageError:
    return UsageError(
        f"--findings {findings} has nothing to say: no races were run.",
        "Run them: --workload races.",
    )
