"""Follows the engine's events about one stack's containers, and keeps the deaths among them."""

import json
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Any

from harness.core.process import mortal
from harness.engine.compose import STACK_LABEL

SERVICE_LABEL = "com.docker.compose.service"


@dataclass(frozen=True, slots=True)
class Death:
    """A container that has exited: its name, its Compose service and its exit code.

    ``at`` is the moment by the engine's clock, in seconds since the epoch.
    """

    container: str
    service: str
    code: int
    at: float = 0.0


class Watch:
    """Listens to the engine's events about one stack, from ``start`` until ``stop``."""

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self._deaths: list[Death] = []
        self._process: subprocess.Popen[str] | None = None
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._stopped = False

    def start(self) -> None:
        """Listen, in a thread; events from this moment on are seen, however late docker starts."""
        since = time.time()
        threading.Thread(target=self._listen, args=(since,), name="watch", daemon=True).start()
        self._begun.wait()

    def stop(self) -> None:
        self._stopped = True
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None

    @property
    def blind(self) -> bool:
        """Whether events are not seen, or not any more, though the watch was not stopped."""
        return self._ended.is_set() and not self._stopped

    def deaths(self, after: int = 0) -> list[Death]:
        """All deaths in the order in which they came, but for this many that came first."""
        return self._deaths[after:]

    def _listen(self, since: float) -> None:
        try:
            self._follow(since)
        except (OSError, ValueError, KeyError):
            # ``blind`` says so: docker could not be started, or wrote no event.
            pass
        finally:
            self._ended.set()
            self._begun.set()

    def _follow(self, since: float) -> None:
        # The process is started by the thread that reads from it: that thread lives as long as
        # the harness, and the command ends with it, by kill -9 too.
        label = f"label={STACK_LABEL}={self._stack}"
        filters = ("--filter", "type=container", "--filter", "event=die", "--filter", label)
        moment = ("--since", f"{since:.9f}")
        self._process = process = subprocess.Popen(  # noqa: S603 (no shell)
            mortal(["docker", "events", *moment, *filters, "--format", "{{json .}}"]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._begun.set()
        for line in process.stdout or ():
            self._deaths.append(_death(json.loads(line)))


def _death(event: dict[str, Any]) -> Death:
    attributes = event["Actor"]["Attributes"]
    return Death(
        container=attributes["name"],
        service=attributes.get(SERVICE_LABEL, "?"),
        code=int(attributes.get("exitCode", -1)),
        at=event["timeNano"] / 1e9 if "timeNano" in event else time.time(),
    )
