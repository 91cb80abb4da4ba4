"""Waits until a stack that is starting can be used: a token, the replicas, the database."""

import concurrent.futures

from harness.core.deadline import Deadline, news
from harness.core.errors import HarnessError, StackError
from harness.core.measurements import Progress
from harness.stack.clients import galera
from harness.stack.clients.serving import until_it_serves
from harness.stack.handle import Stack
from harness.stack.lifecycle.loopback import Loopback
from harness.stack.settings.databases import DATABASES


def wait_until_ready(
    stack: Stack,
    starting: "concurrent.futures.Future[None] | None",
    deadline: Deadline,
    progress: Progress,
) -> None:
    """Return when keystone gives a token, all of placement serves, and a cluster is whole."""
    with news(progress, lambda seconds: f"waiting for {stack.awaited} ({seconds:.0f} s)"):
        _wait_until_ready(stack, starting, deadline)


def _wait_until_ready(
    stack: Stack, starting: "concurrent.futures.Future[None] | None", deadline: Deadline
) -> None:
    nodes = DATABASES[stack.record.database].cluster
    try:
        wait_for_token(stack, starting, deadline)
        stack.wait_for_replicas(stack.replicas, deadline)
        stack.wait_for_reference(deadline)
    except StackError as error:
        # A service that waits for a database is not to blame when the database is not there.
        why = galera.trouble(stack.state, nodes, deadline) if deadline.passed else None
        raise why or error from None
    stack.awaited = "the cluster"
    galera.wait(stack.state, nodes, deadline)


def wait_for_token(
    stack: Stack, starting: "concurrent.futures.Future[None] | None", deadline: Deadline
) -> None:
    """Return when keystone gives a token, which ``starting`` may still be working on."""
    stack.awaited = "keystone's token"

    def ask(seconds: float) -> str | None:
        try:
            stack.token(seconds)
        except (HarnessError, OSError) as error:
            return str(error)
        return None

    reach: Loopback | None = None

    def alive() -> None:
        nonlocal reach
        if starting is None or starting.done():
            if starting is not None:
                starting.result()
            reach = reach or Loopback(stack)
        stack.check("while the stack was starting")
        if reach is not None:
            reach.look()

    problem = until_it_serves(ask, alive, deadline)
    if problem is not None:
        raise StackError(
            f"keystone gave no token within {deadline.seconds:.0f} s; its last answer: {problem}",
            "See what it says: placement-harness logs keystone.",
            service="keystone",
        )
