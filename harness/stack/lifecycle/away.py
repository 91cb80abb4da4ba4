"""Hosts of a stack that do not answer while it is removed: the rest goes, its record stays."""

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from harness.core.errors import StackError
from harness.engine.survey import answers
from harness.stack.model.hosts import Host
from harness.stack.model.state import StackState
from harness.stack.model.unreadable import UnreadableError


def hosts_of(state: StackState) -> tuple[Sequence[Host], Sequence[Host]]:
    """The hosts of a stack that answer, and those that are away; five seconds at most.

    docker's current engine is not asked: a stack that is on it alone waits for it.
    """
    hosts = state.hosts
    with ThreadPoolExecutor(len(hosts)) as pool:
        there = [*pool.map(lambda host: not host.name or answers(host.engine), hosts)]
    pairs = [*zip(hosts, there, strict=True)]
    return [host for host, is_there in pairs if is_there], [
        host for host, is_there in pairs if not is_there
    ]


def error(state: StackState, away: Sequence[Host]) -> StackError:
    """The error for what is left on these hosts; `reap` removes the stack from now on."""
    with contextlib.suppress(UnreadableError):
        record = state.record()
        if record is not None:
            state.save(replace(record, ready=False))
    names = " and ".join(host.title for host in away)
    does, its = ("do", "their") if len(away) > 1 else ("does", "its")
    return StackError(
        f"{names} {does} not answer: what {state.name} has there is not removed.",
        f"Once {its} engine answers again: placement-harness reap.",
    )
