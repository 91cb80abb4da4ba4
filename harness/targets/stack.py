"""Real containers: a stack of one's own, or one that was left running."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from harness.errors import StackError
from harness.plan import Plan, name_option
from harness.results import Exchange, Progress, Request, Response, Setting
from harness.stack import lifecycle, logs, removal
from harness.stack.stack import Stack
from harness.stack.versions import versions
from harness.state import StackState
from harness.targets.base import Transport, quiet
from harness.targets.http import HttpTransport
from harness.timing import cancellable

if TYPE_CHECKING:
    import pymysql


class StackTarget:
    """N replicas behind Apache."""

    name = "stack"

    def __init__(self, plan: Plan, progress: Progress = quiet, stack: Stack | None = None) -> None:
        self._plan = plan
        self._progress = progress
        self._stack = stack
        self._cancelled = threading.Event()

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
        with cancellable(self._cancelled):
            self._stack = lifecycle.bring_up(self._plan, self._progress)
        self._stack.watch()

    def cancel(self) -> None:
        """Let ``start``, in another thread, give up: it takes down what it has begun."""
        self._cancelled.set()

    def stop(self) -> None:
        stack, self._stack = self._stack, None
        if stack is None:
            return
        if self._plan.lifetime == "fresh":
            stack.unwatch()
            removal.take_down(stack.state, self._progress)
        else:
            lifecycle.leave(stack)
            self._progress(f"{stack.name} goes on running: {stack.record.url}")

    def share(self) -> Mapping[str, object]:
        # The secrets stay in the stack's state, which workers can read.
        return {"name": self.stack.name}

    def token(self) -> str:
        return self.stack.token()

    def transport(self, *, verify: bool = True) -> Transport:
        return _Watchful(HttpTransport(verify=verify), self.check)

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
            f"The stack {state.name} is gone.", "Look for who removed it: placement-harness status."
        )
    return StackTarget(plan, stack=Stack(state, record, state.secrets()))
