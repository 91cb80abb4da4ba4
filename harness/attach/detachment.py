"""Removes the replicas of a cloud, and says what has become of its database."""

import json
import time
from dataclasses import dataclass

from harness.attach import examine
from harness.attach.attachment import BEFORE, CLOUD, LINES_OUT
from harness.attach.cloud import Cloud
from harness.attach.examine import View
from harness.attach.snapshot import Rows, TableChange, compare
from harness.core.errors import HarnessError, StackError
from harness.core.measurements import Progress
from harness.engine import install
from harness.stack.lifecycle.teardown import take_down
from harness.stack.model import containers
from harness.stack.model.state import StackState
from harness.stack.model.unreadable import UnreadableError

# placement logs a line of this logger for each request that it has answered.
REQUEST = "placement.requestlog"
RECENT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Detached:
    """Changes of the database: while the replicas were there, and while they were removed."""

    meanwhile: list[TableChange]
    at_the_end: list[TableChange]


def detach(name: str, progress: Progress, *, at_once: bool = False) -> Detached:
    """Remove the replicas of a cloud, and nothing of the cloud's.

    Raises StackError if there is no such attachment, and, unless ``at_once`` is set, if the
    replicas still get requests. If the database cannot be read, the replicas
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
    if not at_once:
        try:
            _refuse_busy(state)
        except BaseException:
            state.release()
            raise
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


def _refuse_busy(state: StackState) -> None:
    """Raise StackError if the replicas have answered requests a moment ago."""
    since = max(time.time() - RECENT_SECONDS, _attached_at(state))
    lines = [
        line
        for container in containers.of_stack(state)
        if containers.number_of(container) is not None
        for line in container.engine.logs(container.id, since=since)
    ]
    count = sum(REQUEST in line for line in lines)
    if count:
        raise StackError(
            f"The replicas of {state.name} have answered requests in the last "
            f"{RECENT_SECONDS:.0f} s, {count} in all: the cloud's Apache would answer 503 without "
            "them.",
            f"Put back the line of {state.directory / LINES_OUT}, reload Apache, and try again; "
            "or remove them all the same: --at-once.",
        )


def _attached_at(state: StackState) -> float:
    """The moment of the last request that `attach` itself had sent, since the epoch."""
    try:
        return (state.directory / LINES_OUT).stat().st_mtime
    except OSError:
        return 0.0


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
