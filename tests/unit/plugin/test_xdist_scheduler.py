"""The scheduler, with workers that die while they are given work."""

from types import SimpleNamespace
from typing import Any

import pytest

from harness.plugin.xdist_scheduler import Scheduler

TESTS = [f"gabbits/{name}.yaml::only" for name in "abcd"]


class Worker:
    """A worker that ends after it has been sent ``lasts`` files."""

    shutting_down = False

    def __init__(self, lasts: int = len(TESTS)) -> None:
        self.lasts = lasts
        self.gateway = SimpleNamespace(id="gw")
        self.sent: list[str] = []
        self.attempts = 0

    def send_runtest_some(self, indexes: list[int]) -> None:
        self.attempts += 1
        assert self.attempts < 10, "asked again and again"
        if len(self.sent) == self.lasts:
            raise OSError("cannot send (already closed?)")
        self.sent += [TESTS[index] for index in indexes]

    def shutdown(self) -> None:
        self.shutting_down = True


def scheduler(*workers: Worker) -> Scheduler:
    values = {"tx": ["popen"] * len(workers), "dist": "loadfile"}
    option = SimpleNamespace(loadscopereorder=False)
    config: Any = SimpleNamespace(getvalue=values.__getitem__, option=option)
    made = Scheduler(config, SimpleNamespace(loadscopesched=lambda *words: None))
    for worker in workers:
        made.add_node(worker)
        made.add_node_collection(worker, TESTS)
    return made


@pytest.mark.parametrize("lasts", [0, 1])
def test_a_worker_that_cannot_be_reached_is_given_nothing_more(lasts: int) -> None:
    dead, living = Worker(lasts), Worker()
    given = scheduler(dead, living)
    given.schedule()
    assert dead.attempts == lasts + 1
    for test in living.sent:  # Grows as tests end.
        given.mark_test_complete(living, TESTS.index(test))
    assert sorted(dead.sent + living.sent) == TESTS
