"""The runner: all clients take part in each round, and an error of one ends the run."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from harness.consistency.client import Call, Client, Names
from harness.consistency.history import History, Writer
from harness.consistency.judge import Violation
from harness.consistency.reading import read
from harness.consistency.runner import Settings, run
from harness.consistency.workloads.base import Round
from harness.core.errors import StackError
from harness.core.exchange import Request, Response


class Transport:
    def send(self, request: Request, *, timeout: float, redirects: bool = False) -> Response:
        return Response(200, "", {}, b"{}")

    def close(self) -> None:
        pass


class Doors:
    replicas = 3

    def __init__(self, dead: bool = False) -> None:
        self.dead = dead

    def client(self, process: int, writer: Writer) -> Client:
        return Client(process, process % 3 + 1, str, {}, Transport(), writer)

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


def history_of(path: Path, workload: Once, doors: Doors, rounds: int | None = 2) -> History:
    writer = Writer(path, {"workload": "once"}, 0.0)
    try:
        run(workload, Settings("7", 20, 4, rounds), doors, Names("7"), writer, lambda line: None)
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
