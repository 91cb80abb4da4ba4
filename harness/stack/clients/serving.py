"""Waits until a service of a stack serves."""

import functools
import time
from collections.abc import Callable

from harness.core.deadline import Deadline, go_on, patiently

POLL_SECONDS = 0.05
# Timeout for a service that is up. A service that still loads accepts connections and answers when
# it has loaded. Ask it once, with a long timeout: it would answer all requests of a queue first.
ASK_SECONDS = 1.0


def until_it_serves(
    ask: Callable[[float], str | None], alive: Callable[[], None], deadline: Deadline
) -> str | None:
    """Ask until there is no problem: None then, else the last problem, when time is up.

    ``ask`` gets the seconds that it may take. ``alive`` raises when nothing is left to answer.
    """
    while True:
        alive()
        patience = max(deadline.left, ASK_SECONDS)
        problem = patiently(functools.partial(ask, patience), alive)
        if problem is None or deadline.passed:
            return problem
        go_on()
        time.sleep(POLL_SECONDS)
