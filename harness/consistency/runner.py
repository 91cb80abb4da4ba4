"""Runs workloads: rounds of clients that all begin at the same moment, until time is up."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from harness.consistency.client import Client, Names
from harness.consistency.counts import LEAST_ROUNDS
from harness.consistency.history import Writer
from harness.consistency.workloads.base import Round, Workload
from harness.core.deadline import GLANCE, Deadline
from harness.core.measurements import Progress
from harness.core.words import counted

NEWS_SECONDS = 5.0
# Time for clients to end the round that they are in. Seconds.
END_SECONDS = 90.0
# Rounds of a run, unless told otherwise, and the time that it may take longer for them. Seconds.
FEWEST_ROUNDS, LATE_SECONDS = LEAST_ROUNDS + 2, 180.0
# Time until the next round after one that could not be prepared. Seconds.
PAUSE_SECONDS = 0.1


class Doors(Protocol):
    """What a run needs of a stack."""

    @property
    def replicas(self) -> int: ...
    def client(self, process: int, writer: Writer) -> Client: ...
    def check(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Settings:
    """How workloads are run. ``rounds`` is a limit besides the time; None for no other limit.

    ``clients`` is their number for each workload.
    """

    seed: str
    seconds: float
    clients: int
    rounds: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A workload to be run, with its names of objects and its history."""

    workload: Workload
    names: Names
    writer: Writer


def at_once() -> bool:
    """Nothing else has to happen before a run may end."""
    return True


def run(
    tasks: Sequence[Task],
    settings: Settings,
    doors: Doors,
    progress: Progress,
    may_end: Callable[[], bool] = at_once,
) -> None:
    """Run workloads side by side; everything that happens is in their histories.

    They end when the time is up, each has made FEWEST_ROUNDS, and ``may_end`` says so. On a slow
    machine that takes longer: too few rounds decide nothing. Raises HarnessError.
    """
    crews = [_Crew(task, settings, doors) for task in tasks]
    deadline = Deadline.after(settings.seconds)
    late = Deadline.after(settings.seconds + LATE_SECONDS)
    news = NEWS_SECONDS
    for crew in crews:
        crew.start()
    try:
        while _go_on(crews) and not (deadline.passed and _have_enough(crews, late) and may_end()):
            time.sleep(min(GLANCE, deadline.left or GLANCE))
            doors.check()
            if deadline.waited > news:
                progress(_news(crews))
                news += NEWS_SECONDS
    finally:
        for crew in crews:
            crew.finish()
        for crew in crews:
            crew.join()
    for crew in crews:
        crew.check()


def _news(crews: Sequence["_Crew"]) -> str:
    names = crews[0].name if len(crews) == 1 else f"{len(crews)} workloads side by side"
    rounds, calls = sum(crew.whole for crew in crews), sum(crew.calls for crew in crews)
    return f"{names}: {counted(rounds, 'round')}, {counted(calls, 'call')}"


def _go_on(crews: Sequence["_Crew"]) -> bool:
    """Whether there are clients at work, and none has failed."""
    return any(crew.is_at_work for crew in crews) and not any(crew.has_failed for crew in crews)


def _have_enough(crews: Sequence["_Crew"], late: Deadline) -> bool:
    """Whether all have made enough rounds, or it is too late for more."""
    return late.passed or all(crew.whole >= FEWEST_ROUNDS for crew in crews if crew.is_at_work)


class _Crew:
    """The clients of one workload, a thread each."""

    def __init__(self, task: Task, settings: Settings, doors: Doors) -> None:
        self._task = task
        self._settings = settings
        self._replicas = doors.replicas
        self._clients: Sequence[Client] = [
            doors.client(process, task.writer) for process in range(settings.clients)
        ]
        self._barrier = threading.Barrier(settings.clients)
        self._round: Round | None = None
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._work, args=(client,), daemon=True)
            for client in self._clients
        ]
        self._over = threading.Event()
        # Rounds that were begun, and those of them that could be prepared.
        self.number = self.whole = 0

    @property
    def name(self) -> str:
        return self._task.workload.name

    @property
    def calls(self) -> int:
        return self._task.writer.count

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def is_at_work(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    @property
    def has_failed(self) -> bool:
        return bool(self._errors)

    def finish(self) -> None:
        """Let the clients begin no other round."""
        self._over.set()

    def join(self) -> None:
        """Wait until the clients have ended the round that they are in."""
        deadline = Deadline.after(END_SECONDS)
        for thread in self._threads:
            # A thread that was never started has nothing to end.
            with suppress(RuntimeError):
                thread.join(deadline.left)

    def check(self) -> None:
        """Raise what has kept a client from going on."""
        if self._errors:
            raise self._errors[0]

    def _work(self, client: Client) -> None:
        workload = self._task.workload
        try:
            while (round_ := self._begin(client)) is not None:
                workload.act(round_, client)
                if self._barrier.wait() == 0:
                    workload.finish(round_, client)
                    self.number += 1
                    self.whole += 1
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
            self._round = self._prepared(client)
        self._barrier.wait()
        client.round = self.number
        return self._round

    def _prepared(self, client: Client) -> Round | None:
        """The next round whose preparation succeeds: under a fault some fail, and are left out."""
        while (round_ := self._next()) is not None:
            client.round, client.is_prepared = self.number, True
            self._task.workload.prepare(round_, client)
            if client.is_prepared:
                break
            self.number += 1
            self._over.wait(PAUSE_SECONDS)
        return round_

    def _next(self) -> Round | None:
        if self._over.is_set() or self.number == self._settings.rounds:
            return None
        return Round(
            self.number,
            self._settings.seed,
            self._settings.clients,
            self._replicas,
            self._task.names,
        )
