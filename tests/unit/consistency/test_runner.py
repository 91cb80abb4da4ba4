"""The runner: all clients take part in each round, and an error of one ends the run."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from harness.consistency.client import Call, Client, Names
from harness.consistency.history import History, Operation, Writer
from harness.consistency.judge import Violation
from harness.consistency.reading import read
from harness.consistency.runner import FEWEST_ROUNDS, Settings, Task, run
from harness.consistency.workloads.base import Round
from harness.core.errors import StackError
from harness.core.exchange import Request, Response


class Transport:
    def __init__(self, refusals: list[str] | None = None) -> None:
        # Paths of requests that are refused, each once.
        self.refusals = refusals or []

    def send(self, request: Request, *, timeout: float, redirects: bool = False) -> Response:
        for path in self.refusals:
            if request.url.endswith(path):
                self.refusals.remove(path)
                raise ConnectionRefusedError("refused")
        return Response(200, "", {}, b"{}")

    def close(self) -> None:
        pass


class Doors:
    replicas = 3

    def __init__(self, dead: bool = False, refusals: list[str] | None = None) -> None:
        self.dead, self.refusals = dead, refusals

    def client(self, process: int, writer: Writer) -> Client:
        return Client(process, process % 3 + 1, str, {}, Transport(self.refusals), writer)

    def check(self) -> None:
        if self.dead:
            raise StackError("Replica 2 died.", "See its log.")


class Once:
    """Each client makes one write in a round; all of them meet in it."""

    name = "once"
    promises = ("p",)
    kinds = ("write",)

    def __init__(self, fail: int | None = None) -> None:
        self.fail = fail
        self.meeting = threading.Barrier(4)

    def key(self, operation: Operation) -> Any:
        return "host"

    def prepare(self, round_: Round, client: Client) -> None:
        client.do(Call("prepare", round_.name("host"), "PUT", "/a"))

    def act(self, round_: Round, client: Client) -> None:
        if self.fail == client.process:
            raise ZeroDivisionError
        if self.fail is None:
            self.meeting.wait(20)
        client.do(Call("write", round_.random(client.process).random(), "PUT", "/b"))

    def finish(self, round_: Round, client: Client) -> None:
        client.do(Call("read", None, "GET", "/c"))

    def check(self, history: History) -> Iterable[Violation]:
        return ()


def history_of(
    path: Path, workload: Once, doors: Doors, rounds: int | None = 2, seconds: float = 20
) -> History:
    writer = Writer(path, {"workload": "once"}, 0.0)
    try:
        task = Task(workload, Names("7"), writer)
        run([task], Settings("7", seconds, 4, rounds), doors, lambda line: None)
    finally:
        writer.close(complete=True)
    return read(path)


def test_all_clients_meet_in_each_round(tmp_path: Path) -> None:
    history = history_of(tmp_path / "h", Once(), Doors())
    assert sorted(history.rounds) == [0, 1]
    for operations in history.rounds.values():
        kinds = [operation.kind for operation in operations]
        assert kinds == ["prepare", *["write"] * 4, "read"]
        assert {one.process for one in operations if one.kind == "write"} == {0, 1, 2, 3}
        assert {one.replica for one in operations if one.kind == "write"} == {1, 2, 3}


def test_a_run_goes_on_until_it_has_made_enough_rounds(tmp_path: Path) -> None:
    history = history_of(tmp_path / "h", Once(), Doors(), rounds=None, seconds=0.001)
    assert len(history.rounds) >= FEWEST_ROUNDS


def test_rounds_that_could_not_be_prepared_are_not_enough(tmp_path: Path) -> None:
    refusals = ["/a"] * FEWEST_ROUNDS
    history = history_of(
        tmp_path / "h", Once(), Doors(refusals=refusals), rounds=None, seconds=0.001
    )
    assert len(history.prepared) >= FEWEST_ROUNDS


def test_a_round_that_cannot_be_prepared_is_left_out(tmp_path: Path) -> None:
    history = history_of(tmp_path / "h", Once(), Doors(refusals=["/a"]), rounds=3)
    assert [operation.kind for operation in history.rounds[0]] == ["prepare"]
    assert sorted(history.prepared) == [1, 2]
    assert all(len(operations) == 6 for operations in history.prepared.values())


def test_choices_depend_on_the_seed_alone(tmp_path: Path) -> None:
    def choices(path: Path) -> list[tuple[int, int, object]]:
        operations = history_of(path, Once(), Doors()).operations
        return sorted((o.round, o.process, o.value) for o in operations if o.kind == "write")

    assert choices(tmp_path / "a") == choices(tmp_path / "b")


def test_an_error_in_a_client_ends_the_run_and_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        history_of(tmp_path / "h", Once(fail=2), Doors())


def test_a_death_that_was_not_meant_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="Replica 2 died"):
        history_of(tmp_path / "h", Once(), Doors(dead=True), rounds=None)
