"""Removes the replicas of a cloud, and says what has become of its database."""

import json
from dataclasses import dataclass

from harness.attach import examine
from harness.attach.attachment import BEFORE, CLOUD
from harness.attach.cloud import Cloud
from harness.attach.examine import View
from harness.attach.snapshot import Rows, TableChange, compare
from harness.core.errors import HarnessError, StackError
from harness.core.measurements import Progress
from harness.engine import install
from harness.stack.lifecycle.teardown import take_down
from harness.stack.model.state import StackState
from harness.stack.model.unreadable import UnreadableError


@dataclass(frozen=True, slots=True)
class Detached:
    """What became of the database: while the replicas were there, and while they were removed."""

    meanwhile: list[TableChange]
    at_the_end: list[TableChange]


def detach(name: str, progress: Progress) -> Detached:
    """Remove the replicas of a cloud, and nothing of the cloud's.

    Raises StackError if there is no such attachment. If the database cannot be read, the replicas
    are removed all the same, and the error is raised then.
    """
    state = StackState(name)
    install.require_engine()
    record = state.record()
    if record is None or not record.attached:
        raise StackError(
            f"Nothing named {name} is attached"
            + (": it is a stack with a database of its own." if record else "."),
            f"Remove a stack with placement-harness down --name {name}."
            if record
            else "See what there is: placement-harness status.",
        )
    state.lock()
    problem: HarnessError | None = None
    before: Rows = {}
    now: Rows = {}
    after: Rows = {}
    view, cloud = View(record.placement(1), record.attached, ""), None
    try:
        before, cloud = _kept(state)
        now = examine.rows(view, cloud)
    except HarnessError as error:
        problem = error
    take_down(state, progress)
    if cloud is not None and problem is None:
        try:
            after = examine.rows(view, cloud)
        except HarnessError as error:
            problem = error
    if problem is not None:
        raise StackError(
            f"{name} is removed, but whether the cloud's database is as before was not seen: "
            f"{problem.problem}",
            problem.remedy,
            evidence=problem.evidence,
        )
    return Detached(compare(before, now), compare(now, after))


def _kept(state: StackState) -> tuple[Rows, Cloud]:
    """Rows and settings that ``attach`` kept. Raises UnreadableError."""
    values = []
    for name in (BEFORE, CLOUD):
        path = state.directory / name
        try:
            values.append(json.loads(path.read_text()))
        except (OSError, ValueError) as error:
            raise UnreadableError(state.name, path, error) from error
    return values[0], Cloud(values[1], {})
