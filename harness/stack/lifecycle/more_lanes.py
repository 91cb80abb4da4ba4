"""Adds lanes to a stack that runs: its data stay, and its first lane goes on as it is."""

import contextlib
from collections.abc import Sequence

from harness.config.plan import FIRST_LANE, Lane
from harness.core import ports
from harness.core.deadline import Deadline
from harness.core.errors import HarnessError
from harness.core.measurements import Progress
from harness.core.signals import shielded
from harness.engine.compose import Up
from harness.stack import project
from harness.stack.clients.database import copy_schema
from harness.stack.handle import Stack
from harness.stack.model import lanes, policies
from harness.stack.model.lanes import ReplicaId

APACHE = "apache"
# Timeout for Apache and all replicas, which start anew together.
START_SECONDS = 60.0


def add(stack: Stack, added: Sequence[Lane], progress: Progress) -> None:
    """Give a stack these lanes too: a schema, processes in each replica, and a port of Apache's.

    Apache and the replicas are made anew for that. Where they do not serve then, they are made
    again as they were. Raises StackError.
    """
    with stack.state.changing(), stack.watching():
        stack.refresh()
        before, described = stack.record, project.load(stack.state)
        port_of = dict(before.lanes) or {FIRST_LANE: before.port}
        names = ", ".join(lane.name for lane in added)
        progress(
            f"adding lane {names} to {stack.name}: its proxy and replicas start anew, its data stay"
        )
        for lane in added:
            port_of[lane.name] = ports.free()
            copy_schema(stack.database(several=True), lanes.schema(lane.name))
        policies.prepare(stack.state, [Lane(name) for name in port_of])

        def change() -> None:
            stack.save(lanes=port_of)
            project.add_lanes(stack.state, stack.record, added)
            _start(stack)

        def undo() -> None:
            stack.save(lanes=before.lanes)
            project.save(stack.state, described)
            _start(stack)

        try:
            shielded(change)
            stack.wait_for_replicas(stack.replicas, Deadline.after(START_SECONDS))
        except BaseException:
            with contextlib.suppress(HarnessError, OSError):
                shielded(undo)
            raise
        stack.balancer.only(stack.replicas)


def _start(stack: Stack) -> None:
    """Let Apache and the replicas be as they are described now."""
    replicas = [ReplicaId.first(number) for number in stack.replicas]
    services = (APACHE, *(replica.service for replica in replicas))
    with stack.expecting(*services):
        stack.start_containers(Up(services, dependencies=False))
