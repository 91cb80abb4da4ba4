"""Real containers: a stack of one's own, or one that was left running."""

from collections.abc import Mapping, Sequence

import pymysql

from harness.errors import StackError
from harness.plan import SHARED_STACK, Plan
from harness.results import Exchange, Setting
from harness.stack import lifecycle, logs
from harness.stack.stack import Stack
from harness.stack.versions import versions
from harness.state import StackState
from harness.targets.base import Progress, Transport, quiet
from harness.targets.http import HttpTransport


class StackTarget:
    """N replicas behind Apache."""

    name = "stack"

    def __init__(self, plan: Plan, progress: Progress = quiet, stack: Stack | None = None) -> None:
        self._plan = plan
        self._progress = progress
        self._stack = stack

    @property
    def stack(self) -> Stack:
        if self._stack is None:
            raise StackError("The stack is not up.", "It is started before the first test.")
        return self._stack

    @property
    def url(self) -> str:
        return self.stack.placement_url

    @property
    def replicas(self) -> tuple[str, ...]:
        return tuple(str(number + 1) for number in range(self._plan.replicas))

    def start(self) -> None:
        self._stack = lifecycle.bring_up(self._plan, self._progress)
        self._stack.watch()

    def stop(self) -> None:
        stack, self._stack = self._stack, None
        if stack is None:
            return
        if self._plan.lifetime == "fresh":
            stack.unwatch()
            lifecycle.take_down(stack.state, self._progress)
        else:
            lifecycle.leave(stack)
            self._progress(f"{stack.name} goes on running: {stack.record.url}")

    def share(self) -> Mapping[str, object]:
        # The secrets stay in the stack's state, which workers can read.
        return {"name": self.stack.name}

    def token(self) -> str:
        return self.stack.token()

    def transport(self, *, verify: bool = True) -> Transport:
        return HttpTransport(verify=verify)

    def database(self, schema: str = "placement") -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return self.stack.database(schema)

    def settings(self) -> Sequence[Setting]:
        known = versions()
        return (
            Setting("placement", known["placement"]),
            Setting(
                "replicas", str(self._plan.replicas), self._plan.sources.get("replicas", "default")
            ),
            Setting("database", f"MariaDB {known['mariadb']}"),
            Setting("keystone", known["keystone"]),
            Setting("proxy", f"Apache {known['apache']}"),
            Setting("token cache", f"memcached {known['memcached']}"),
            Setting("profile", "default"),
            Setting("stack", f"{self.stack.name}, {self.stack.record.url}"),
        )

    def check(self) -> None:
        self.stack.check()

    def explain(self, exchange: Exchange) -> Mapping[str, Sequence[str]]:
        return logs.of_exchange(self.stack.name, exchange)

    def shell_token(self) -> str | None:
        name = self.stack.name
        option = "" if name == SHARED_STACK else f" --name {name}"
        gone = (
            "# This stack is removed when the run ends: repeat with --stack keep.\n"
            if self._plan.lifetime == "fresh"
            else ""
        )
        return f'{gone}TOKEN="$(placement-harness token{option})"'


def make(plan: Plan, progress: Progress = quiet) -> StackTarget:
    return StackTarget(plan, progress)


def attach(plan: Plan, shared: Mapping[str, object]) -> StackTarget:
    state = StackState(str(shared["name"]))
    record = state.record()
    if record is None:
        raise StackError(
            f"The stack {state.name} is gone.", "Look for who removed it: placement-harness status."
        )
    return StackTarget(plan, stack=Stack(state, record, state.secrets()))
