"""The stack on which trials run: one replica, which is restarted with other cuts each time."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.core.deadline import Deadline
from harness.core.errors import EngineError
from harness.engine.docker import current
from harness.engine.values import Once
from harness.footprint.loading import ENVIRONMENT
from harness.stack.lifecycle import reuse
from harness.stack.lifecycle.running import RunningStack
from harness.stack.model import containers
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.state import StackState
from harness.trim import observed
from harness.trim import suites as running
from harness.trim.observed import Observed
from harness.trim.workspace import GIVEN, INSIDE, PYTHON, Workspace

IMPORT_SECONDS = 900.0
START_SECONDS, ASK_SECONDS = 60.0, 0.3
MARK = "trim: "


class Trials:
    """Answers whether placement does without some modules, in three tiers of rising cost.

    ``image`` is the image from which nothing is cut.
    """

    def __init__(self, workspace: Workspace, project: Path, image: str) -> None:
        self._workspace = workspace
        self._project = project
        self.image = image
        self._stack: RunningStack | None = None
        self._placement = ("--placement", workspace.spec) if workspace.spec else ()

    def imports(self, questions: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
        """Import placement without each of these lists of modules.

        An answer is {"error": text or null, "modules": the modules that were imported}.
        """
        script = (INSIDE / "imports.py").read_text()
        text = json.dumps(json.dumps([[*lines] for lines in questions]))
        once = Once(
            environment={**ENVIRONMENT},
            confined=True,
            volumes={str(self._workspace.given): GIVEN},
            stdin=script.replace('"""{{QUESTIONS}}"""', text).encode(),
        )
        outcome = current().run(self.image, PYTHON, "-", seconds=IMPORT_SECONDS, once=once)
        lines = [line for line in outcome.out.splitlines() if line.startswith(MARK)]
        if len(lines) != len(questions):
            raise EngineError(
                f"placement's imports could not be tried in {self.image}: {outcome.reason}.",
                "The verdicts so far are kept: run the command again.",
                evidence=outcome.evidence,
            )
        return [json.loads(line.removeprefix(MARK)) for line in lines]

    def suites(self, cuts: Sequence[str], chosen: list[str]) -> Mapping[str, Any]:
        """Restart the replica without these modules, and run suites.

        The answer is {"tests": number, "failed": [ids], "used": [names that were wanted]}.
        """
        stack = self._running()
        self._workspace.let_go(cuts)
        observed.clear(self._workspace.written)
        problem = _restarted(stack)
        if problem is not None:
            ran = running.Ran(0, (f"the replica did not start: {problem}",))
        else:
            ran = running.run(self._workspace, self._project, chosen, "--stack", "reuse")
        used = observed.of_folder(self._workspace.written).used
        return {"tests": ran.tests, "failed": [*ran.failed], "used": used}

    def upstream(self, cuts: Sequence[str]) -> Mapping[str, Any]:
        """Run placement's own suites without these modules, on a fresh stack with all profiles."""
        self._workspace.let_go(cuts)
        observed.clear(self._workspace.written)
        words = ("--stack", "fresh", "--replicas", "1", *self._placement)
        ran = running.run(self._workspace, self._project, ["upstream"], *words)
        used = observed.of_folder(self._workspace.written).used
        return {"tests": ran.tests, "failed": [*ran.failed], "used": used}

    def observe(self, chosen: list[str], *words: str) -> tuple[running.Ran, Observed]:
        """Run suites on a fresh stack with nothing cut, and note what they need."""
        self._workspace.let_go(["observe"])
        observed.clear(self._workspace.written)
        words = ("--stack", "fresh", *words, *self._placement)
        ran = running.run(self._workspace, self._project, chosen, *words)
        return ran, observed.of_folder(self._workspace.written)

    def observe_program(self, program: Path, stdin: bytes, *arguments: str) -> Observed:
        """Run a program in the image, as the harness itself does, and note what it needs."""
        self._workspace.let_go(["observe"])
        target = self._workspace.given / program.name
        target.write_bytes(program.read_bytes())
        target.chmod(0o644)
        once = Once(
            environment=ENVIRONMENT,
            confined=True,
            volumes={str(self._workspace.given): GIVEN},
            stdin=stdin,
        )
        words = (f"{GIVEN}/replica.py", f"{GIVEN}/{program.name}", *arguments)
        outcome = current().run(self.image, PYTHON, *words, seconds=60, once=once)
        if not outcome.ok:
            raise EngineError(
                f"{program.name} has failed in {self.image}: {outcome.reason}.",
                "Nothing was cut yet: the image itself is broken.",
                evidence=outcome.evidence,
            )
        noted = Observed()
        noted.add(observed.lines_of(outcome))
        return noted

    def _running(self) -> RunningStack:
        if self._stack is None:
            self._stack = reuse.running_stack(StackState(self._workspace.name), whole=False)
        if self._stack is None:
            # With cuts that it does not survive, the stack would not come up.
            self._workspace.let_go([])
            self._workspace.harness(self._project, "up", "--replicas", "1", *self._placement)
            self._stack = reuse.running_stack(StackState(self._workspace.name), whole=False)
        if self._stack is None:
            raise reuse.not_running(StackState(self._workspace.name))
        return self._stack

    def close(self) -> None:
        """Remove the stack."""
        if self._stack is not None:
            self._stack.close()
            self._stack = None
        if StackState(self._workspace.name).record() is not None:
            self._workspace.harness(self._project, "down")


def _restarted(stack: RunningStack) -> str | None:
    """Restart the replica; why it does not serve then, or None.

    A replica on trial may never serve. No requests flow meanwhile, so it is not drained before.
    """
    replica = ReplicaId.first(1)
    container = containers.of_replica(stack.state, replica)
    with stack.expecting(replica):
        container.engine.restart(container.id, START_SECONDS)
    problem: str | None = "it was not asked"
    for _ in Deadline.after(START_SECONDS).every(ASK_SECONDS):
        problem = stack.asks_replica(replica)
        if problem is None or problem.startswith("500"):
            break
        if not containers.of_replica(stack.state, replica).is_running:
            return "it has ended"
    return problem
