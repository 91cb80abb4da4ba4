"""Runs a workload: rounds of clients that all begin at the same moment, until time is up."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.consistency.client import Client, Names
from harness.consistency.history import Writer
from harness.consistency.workloads.base import Round, Workload
from harness.core.deadline import GLANCE, Deadline
from harness.core.measurements import Progress

NEWS_SECONDS = 5.0
# Time for clients to end the round that they are in. Seconds.
END_SECONDS = 90.0


class Doors(Protocol):
    """What a run needs of a stack."""

    @property
    def replicas(self) -> int: ...
    def client(self, process: int, writer: Writer) -> Client: ...
    def check(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Settings:
    """How a workload is run. ``rounds`` is a limit besides the time; None for no other limit."""

    seed: str
    seconds: float
    clients: int
    rounds: int | None = None


def run(
    workload: Workload,
    settings: Settings,
    doors: Doors,
    names: Names,
    writer: Writer,
    progress: Progress,
) -> None:
    """Run a workload; everything that happens is in the history. Raises HarnessError."""
    crew = _Crew(workload, settings, doors, names, writer)
    deadline = Deadline.after(settings.seconds)
    crew.start(deadline)
    news = NEWS_SECONDS
    try:
        while crew.is_at_work:
            time.sleep(GLANCE)
            doors.check()
            if deadline.waited > news:
                progress(f"{workload.name}: {crew.number} rounds, {writer.count} calls")
                news += NEWS_SECONDS
    finally:
        crew.end()
    crew.check()


class _Crew:
    """The clients of a run, a thread each."""

    def __init__(
        self, workload: Workload, settings: Settings, doors: Doors, names: Names, writer: Writer
    ) -> None:
        self._workload = workload
        self._settings = settings
        self._names = names
        self._replicas = doors.replicas
        self._clients: Sequence[Client] = [
            doors.client(process, writer) for process in range(settings.clients)
        ]
        self._barrier = threading.Barrier(settings.clients)
        self._round: Round | None = None
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._work, args=(client,), daemon=True)
            for client in self._clients
        ]
        self._deadline = Deadline.after(settings.seconds)
        self._over = threading.Event()
        self.number = 0

    def start(self, deadline: Deadline) -> None:
        self._deadline = deadline
        for thread in self._threads:
            thread.start()

    @property
    def is_at_work(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def end(self) -> None:
        """Let the clients end the round that they are in."""
        self._over.set()
        deadline = Deadline.after(END_SECONDS)
        for thread in self._threads:
            thread.join(deadline.left)

    def check(self) -> None:
        """Raise what has kept a client from going on."""
        if self._errors:
            raise self._errors[0]

    def _work(self, client: Client) -> None:
        try:
            while (round_ := self._begin(client)) is not None:
                self._workload.act(round_, client)
                if self._barrier.wait() == 0:
                    self._workload.finish(round_, client)
                    self.number += 1
        except threading.BrokenBarrierError:
            return
        except BaseException as error:
            self._errors.append(error)
            self._barrier.abort()
        finally:
            client.close()

    def _begin(self, client: Client) -> Round | None:
        """The next round, once one of the clients has prepared it; None when time is up."""
        if self._barrier.wait() == 0:
            self._round = self._next()
            client.round = self.number
            if self._round is not None:
                self._workload.prepare(self._round, client)
        self._barrier.wait()
        client.round = self.number
        return self._round

    def _next(self) -> Round | None:
        limit = self._settings.rounds
        if self._over.is_set() or self._deadline.passed or self.number == limit:
            return None
        return Round(
            self.number,
            self._settings.seed,
            self._settings.clients,
            self._replicas,
            self._names,
        )
