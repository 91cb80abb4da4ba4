"""Follows an engine's events about some containers, and keeps the deaths among them."""

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from harness.core.program import Program
from harness.engine.command import Labels
from harness.engine.docker import SERVICE_LABEL, Engine


@dataclass(frozen=True, slots=True)
class Death:
    """A container that has exited: its id, its name, its Compose service and its exit code.

    ``at`` is the moment by the engine's clock, in seconds since the epoch.
    """

    id: str
    container: str
    service: str
    code: int
    at: float = 0.0


class Watch:
    """Listens to an engine's events about containers with these labels, until ``stop``."""

    def __init__(self, engine: Engine, labels: Labels) -> None:
        self._engine = engine
        self._labels = labels
        self._deaths: list[Death] = []
        self._program: Program | None = None
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._stopped = False

    def start(self) -> None:
        """Listen, in a thread, to events from this moment on, however late docker starts."""
        since = time.time()
        threading.Thread(target=self._listen, args=(since,), name="watch", daemon=True).start()
        self._begun.wait()

    def stop(self) -> None:
        self._stopped = True
        if self._program is not None:
            self._program.end()

    @property
    def blind(self) -> bool:
        """Whether the watch receives no events, though it was not stopped."""
        return self._ended.is_set() and not self._stopped

    def deaths(self, after: int = 0) -> list[Death]:
        """All deaths in the order of their events, without the first ``after``."""
        return self._deaths[after:]

    def _listen(self, since: float) -> None:
        try:
            # The program is started by the thread that reads from it: that thread lives as long as
            # the harness, and the program ends with it, by kill -9 too.
            self._program = program = self._engine.command.follow_events(self._labels, "die", since)
            self._begun.set()
            for line in program.lines():
                self._deaths.append(_death(json.loads(line)))
        except (OSError, ValueError, KeyError):
            # docker could not be started, or wrote something that is no event. ``blind`` is True.
            pass
        finally:
            self._ended.set()
            self._begun.set()


def _death(event: dict[str, Any]) -> Death:
    actor = event["Actor"]
    attributes = actor["Attributes"]
    return Death(
        id=actor["ID"],
        container=attributes["name"],
        service=attributes.get(SERVICE_LABEL, "?"),
        code=int(attributes.get("exitCode", -1)),
        at=event["timeNano"] / 1e9 if "timeNano" in event else time.time(),
    )
