"""Real containers: a stack of one's own, or one that was left running."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from harness.config.plan import FIRST_LANE, ITS_OWN, Plan, name_option
from harness.core.deadline import cancellable
from harness.core.errors import StackError
from harness.core.exchange import Exchange, Request, Response
from harness.core.measurements import Measures, Progress, Setting
from harness.engine import stats
from harness.stack.clients import replica_logs
from harness.stack.images.versions import versions
from harness.stack.lifecycle import teardown, up
from harness.stack.lifecycle.running import RunningStack
from harness.stack.model import containers, lanes, policies
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.state import StackState
from harness.stack.resolved_plan import resolve_plan
from harness.stack.settings.config_sources import SOURCES
from harness.stack.settings.databases import DATABASES
from harness.targets.base import Stage, Transport, quiet
from harness.targets.http import HttpTransport
from harness.targets.staging import Stages
from harness.upstream.fixture_data import Fixture

if TYPE_CHECKING:
    import pymysql


class StackTarget:
    """N replicas behind Apache."""

    name = "stack"

    def __init__(
        self,
        plan: Plan,
        progress: Progress = quiet,
        stack: RunningStack | None = None,
        lane: str = FIRST_LANE,
    ) -> None:
        self._plan = plan
        self._progress = progress
        self._stack = stack
        self._lane = lane
        self._stages: Stages | None = None
        # Number of replicas: a stack that runs may have another than was planned.
        self._number = plan.replicas
        self._cancelled = threading.Event()

    @property
    def stack(self) -> RunningStack:
        if self._stack is None:
            raise StackError("The stack is not up.", "It is started before the first test.")
        return self._stack

    def running_stack(self) -> RunningStack:
        return self.stack

    @property
    def plan(self) -> Plan:
        """The plan; it is resolved once the stack is up."""
        return self._plan

    @property
    def lane(self) -> str:
        """The lane of this process."""
        return self._lane

    @property
    def url(self) -> str:
        return f"{self.stack.url(self._lane)}/placement"

    @property
    def replicas(self) -> tuple[str, ...]:
        names = [lane.name for lane in self._plan.lanes] or [FIRST_LANE]
        return tuple(
            str(ReplicaId(name, number))
            for name in names
            for number in lanes.numbers(name, self._number)
        )

    def start(self) -> None:
        with cancellable(self._cancelled):
            self._plan = resolve_plan(self._plan, self._progress)
            self._stack = up.bring_up(self._plan, self._progress)
        self._number = self._stack.record.replicas
        self._stack.watch()

    def cancel(self) -> None:
        """Let ``start``, in another thread, give up: it takes down what it has begun."""
        self._cancelled.set()

    def stop(self) -> None:
        stack = self._stack
        if stack is None:
            return
        if self._plan.lifetime == "fresh":
            stack.close()
            teardown.take_down(stack.state, self._progress)
        else:
            # A worker that was not left the time to do so has not.
            policies.restore(stack.state, stack.record)
            up.leave(stack)
            self._progress(f"{stack.name} goes on running: {stack.record.url}")
        # Last, so that a call after an interrupt does the rest.
        self._stack = self._stages = None

    def share(self, worker: int) -> Mapping[str, object]:
        """The stack's name, the worker's lane and a token.

        Workers read passwords from the stack's state. The token comes from here: all workers at
        once would ask keystone for one.
        """
        lane = self._plan.lanes[worker].name if self._plan.lanes else FIRST_LANE
        return {"name": self.stack.name, "lane": lane, "token": self.token()}

    def stage(self, fixture: Fixture) -> AbstractContextManager[Stage]:
        """A placement that is empty but for the scene, with users as suites' headers name them."""
        if self._stages is None:
            self._stages = Stages(self.stack, self._lane, lambda lane: lane, self.stack.url)
        return self._stages.stage(fixture)

    def token(self) -> str:
        return self.stack.token()

    def transport(self, *, verify: bool = True) -> Transport:
        return _Watchful(HttpTransport(verify=verify), self.check)

    def database(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return self.stack.database(lanes.schema(self._lane))

    def settings(self) -> Sequence[Setting]:
        record = self.stack.record
        database, source = DATABASES[record.database], SOURCES[record.config_source]
        known = versions(resolve_plan(self._plan, self._progress).contents)
        named = " and ".join(
            dict.fromkeys(placement.title for placement in record.placements if placement.version)
        )
        return (
            Setting("placement", named or known["placement"], self._from("placement")),
            Setting("replicas", str(self._number), self._replicas_from()),
            Setting(
                "database", f"{database.title} {known[database.image]}", self._from("database")
            ),
            *(
                [Setting("database proxy", f"HAProxy {known['haproxy']}")]
                if "haproxy" in known
                else ()
            ),
            Setting(
                "configuration",
                " ".join([source.title, *(known[image] for image in source.images)]),
                self._from("config_source"),
            ),
            Setting("keystone", known["keystone"]),
            Setting("proxy", f"Apache {known['apache']}"),
            Setting("token cache", f"memcached {known['memcached']}"),
            Setting("profile", ", ".join(self._plan.profiles) or "secure-rbac"),
            Setting("stack", f"{self.stack.name}, {record.url}"),
            *(
                [Setting("reference", f"{record.reference_url(self._lane)}/placement")]
                if record.reference
                else ()
            ),
        )

    def _from(self, name: str) -> str:
        return self._plan.sources.get(name, "default")

    def _replicas_from(self) -> str:
        source = self._from("replicas")
        # A stack that runs is taken with as many as it has.
        return ITS_OWN if source == "default" and self._plan.takes_over else source

    def measure(self) -> Measures:
        """How long it took to start, and what its containers have in memory. Raises EngineError."""
        return Measures(self.stack.ready_after, stats.memory(containers.of_stack(self.stack.state)))

    def check(self) -> None:
        self.stack.check()

    def explain(self, exchange: Exchange) -> Mapping[str, Sequence[str]]:
        return replica_logs.of_exchange(self.stack.state, exchange)

    def shell_token(self) -> str | None:
        gone = (
            "# This stack is removed when the run ends: repeat with --stack keep.\n"
            if self._plan.lifetime == "fresh"
            else ""
        )
        return f'{gone}TOKEN="$(placement-harness token{name_option(self.stack.name)})"'


class _Watchful:
    """Sends nothing more once the stack has broken: a test that polls would go on for long."""

    def __init__(self, transport: Transport, check: Callable[[], None]) -> None:
        self._transport = transport
        self._check = check

    def send(self, request: Request, *, timeout: float, redirects: bool = False) -> Response:
        self._check()
        return self._transport.send(request, timeout=timeout, redirects=redirects)

    def close(self) -> None:
        self._transport.close()


def make(plan: Plan, progress: Progress = quiet) -> StackTarget:
    return StackTarget(plan, progress)


def attach(plan: Plan, shared: Mapping[str, object]) -> StackTarget:
    state = StackState(str(shared["name"]))
    record = state.record()
    if record is None:
        raise StackError(
            f"The stack {state.name} is gone.",
            "See which stacks there are: placement-harness status.",
        )
    stack = RunningStack(state, record, state.secrets(), token=str(shared["token"]))
    return StackTarget(plan, stack=stack, lane=str(shared["lane"]))
