"""Starts the replicas of a cloud, and waits until each of them serves."""

import concurrent.futures
import functools
from collections.abc import Callable

import requests

from harness.core.deadline import Deadline
from harness.core.errors import HarnessError, StackError
from harness.core.measurements import Progress
from harness.core.signals import shielded
from harness.stack.clients.serving import until_it_serves
from harness.stack.handle import READY, READY_SECONDS, Stack
from harness.stack.model import composing, containers, lanes
from harness.stack.model.record import Record
from harness.stack.model.state import StackState

LAST_LINES = 20


def start(state: StackState, record: Record, token: str, progress: Progress) -> None:
    """Start the containers, and wait until each replica has answered a request with this token.

    Raises StackError.
    """
    secrets = state.secrets()
    stack = Stack(state, record, secrets, token=token)
    stack.watch()
    deadline = Deadline.after(READY_SECONDS)
    session = requests.Session()
    # A proxy or a .netrc of the user's is for other hosts.
    session.trust_env = False
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        starting = executor.submit(composing.start, state)
        try:
            for number in range(1, record.replicas + 1):
                ask = functools.partial(_ask, stack, session, token, number)
                _wait(number, ask, functools.partial(_alive, stack, starting), deadline, record)
            starting.result()
        except composing.PortTakenError as taken:
            raise taken.error from None
        finally:
            # Compose must have ended before anything can be removed.
            shielded(lambda: concurrent.futures.wait([starting]))
            stack.close()
            session.close()
    progress(f"all answer after {deadline.waited:.1f} s")


def _alive(stack: Stack, starting: "concurrent.futures.Future[None]") -> None:
    if starting.done():
        starting.result()
    stack.check("before it served")


def _ask(
    stack: Stack, session: requests.Session, token: str, number: int, seconds: float
) -> str | None:
    """Why a replica does not serve; None if it does."""
    url, key = stack.direct(number)
    try:
        answer = session.get(
            f"{url}/resource_providers?name={READY}",
            headers={**key, "X-Auth-Token": token},
            timeout=seconds,
        )
    except requests.RequestException as error:
        return type(error).__name__
    # The cloud's policy may keep placement's own user from reading; its token was accepted then.
    return None if answer.status_code in (200, 403) else f"{answer.status_code} {answer.text[:200]}"


def _wait(
    number: int,
    ask: Callable[[float], str | None],
    alive: Callable[[], None],
    deadline: Deadline,
    record: Record,
) -> None:
    problem = until_it_serves(ask, alive, deadline)
    if problem is not None:
        raise StackError(
            f"Replica {number} did not serve within {deadline.seconds:.0f} s; its last answer: "
            f"{problem}.",
            "Compare the settings with those of the cloud's own placement. The last lines of the "
            "replica's log are below.",
            evidence=_last_lines(record, number),
            service=lanes.SERVICE,
        )


def _last_lines(record: Record, number: int) -> list[str]:
    try:
        container = containers.of_replica(StackState(record.name), lanes.ReplicaId.first(number))
    except HarnessError:
        return []
    return container.engine.last_lines(container.id, LAST_LINES)
