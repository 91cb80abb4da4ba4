"""The reference: placement as devstack sets it up, in the stack of a run."""

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from harness.config.plan import Plan
from harness.core.exchange import Exchange
from harness.core.measurements import Measures, Progress, Setting
from harness.stack.clients import replica_logs
from harness.stack.images.versions import versions
from harness.stack.lifecycle.running import RunningStack
from harness.stack.model import lanes
from harness.stack.resolved_plan import resolve_plan
from harness.stack.settings.databases import DATABASES
from harness.targets import stack as stack_target
from harness.targets.base import Stage, Transport, quiet
from harness.targets.stack import StackTarget
from harness.targets.staging import Stages
from harness.upstream.fixture_data import Fixture

if TYPE_CHECKING:
    import pymysql


class ReferenceTarget:
    """One placement, two uwsgi processes on a unix socket, behind Debian's Apache.

    ``cluster`` is the target whose stack the reference belongs to, planned with ``reference``. The
    stack's replicas, if it has any, answer at their own addresses. With ``beside``, the run starts
    and stops ``cluster`` itself; otherwise this target does.
    """

    name = "reference"
    # An answer does not say which of the two processes gave it.
    replicas: tuple[str, ...] = ()

    def __init__(self, cluster: StackTarget, *, beside: bool = False) -> None:
        self._cluster = cluster
        self._beside = beside
        self._stages: Stages | None = None

    def running_stack(self) -> RunningStack:
        return self._cluster.stack

    @property
    def url(self) -> str:
        return f"{self._root(self._cluster.lane)}/placement"

    def _root(self, lane: str) -> str:
        return self._cluster.stack.record.reference_url(lane)

    def start(self) -> None:
        if not self._beside:
            self._cluster.start()

    def cancel(self) -> None:
        if not self._beside:
            self._cluster.cancel()

    def stop(self) -> None:
        self._stages = None
        if not self._beside:
            self._cluster.stop()

    def share(self, worker: int) -> Mapping[str, object]:
        return self._cluster.share(worker)

    def stage(self, fixture: Fixture) -> AbstractContextManager[Stage]:
        """The reference, empty but for what the scene has."""
        if self._stages is None:
            lane = self._cluster.lane
            self._stages = Stages(self._cluster.stack, lane, lanes.of_reference, self._root)
        return self._stages.stage(fixture)

    def token(self) -> str:
        return self._cluster.token()

    def transport(self, *, verify: bool = True) -> Transport:
        return self._cluster.transport(verify=verify)

    def database(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return self._cluster.stack.database(lanes.schema(lanes.of_reference(self._cluster.lane)))

    def settings(self) -> Sequence[Setting]:
        plan, record = self._cluster.plan, self._cluster.stack.record
        database = DATABASES[record.database]
        known = versions(resolve_plan(plan, quiet).contents)
        placement = record.placement(1)
        title = placement.title if placement.spec else known["placement"]
        sources = plan.sources
        return (
            Setting("placement", title, sources.get("placement", "default")),
            Setting(
                "database",
                f"{database.title} {known[database.image]}",
                sources.get("database", "default"),
            ),
            Setting("configuration", "placement.conf"),
            Setting("server", "uwsgi, 2 processes on a unix socket"),
            Setting("keystone", known["keystone"]),
            Setting("proxy", f"Apache {known['reference']} as Debian configures it"),
            Setting("token cache", f"memcached {known['memcached']}"),
            Setting("profile", ", ".join(plan.profiles) or "secure-rbac"),
            Setting("reference", f"{record.name}, {self.url}"),
        )

    def measure(self) -> Measures:
        return self._cluster.measure()

    def check(self) -> None:
        self._cluster.check()

    def explain(self, exchange: Exchange) -> Mapping[str, Sequence[str]]:
        return replica_logs.of_reference(self._cluster.stack.state, exchange)

    def shell_token(self) -> str | None:
        return self._cluster.shell_token()


def planned(plan: Plan) -> Plan:
    """The plan of a stack with the reference beside its replicas; resolve it afterwards."""
    return dataclasses.replace(plan, reference=True)


def beside(cluster: StackTarget) -> ReferenceTarget:
    """The reference in the stack of another target, whose plan has ``reference``.

    It may be made before that target is started, and works from then on until that one is stopped.
    """
    return ReferenceTarget(cluster, beside=True)


def make(plan: Plan, progress: Progress = quiet) -> ReferenceTarget:
    return ReferenceTarget(stack_target.make(planned(plan), progress))


def attach(plan: Plan, shared: Mapping[str, object]) -> ReferenceTarget:
    """The reference of a stack that another process has started.

    ``shared`` is what the ``share`` of either target gave: of the stack's own, or of the reference.
    """
    return ReferenceTarget(stack_target.attach(plan, shared))
