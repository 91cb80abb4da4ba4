"""A client's calls: their outcomes, and that each exchange of its stream reaches the history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.consistency.client import Call, Client, Names, outcome_of
from harness.consistency.history import Outcome, Writer
from harness.consistency.reading import read
from harness.core.exchange import Exchange, Request, Response


@pytest.mark.parametrize(
    ("method", "status", "error", "outcome"),
    [
        ("PUT", 204, "", "ok"),
        ("PUT", 409, "", "fail"),
        ("PUT", 400, "", "fail"),
        # The commit may have come before the failure.
        ("PUT", 500, "", "info"),
        ("DELETE", 503, "", "info"),
        ("POST", None, "TimeoutError: no answer within 60 s", "info"),
        ("POST", None, "ConnectionError: reset", "info"),
        # Nothing was sent.
        ("POST", None, "ConnectionRefusedError: nothing listens", "fail"),
        ("GET", 500, "", "fail"),
        ("GET", None, "TimeoutError: no answer", "fail"),
    ],
)
def test_the_outcome_of_a_call(
    method: str, status: int | None, error: str, outcome: Outcome
) -> None:
    response = None if status is None else Response(status, "", {}, b"")
    assert outcome_of(method, response, error) == outcome


class Transport:
    """Answers with what the test has put there."""

    def __init__(self, *answers: Response | OSError) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    def send(self, request: Request, *, timeout: float, redirects: bool = False) -> Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def close(self) -> None:
        pass


class Kept:
    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def observe(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


def client(path: Path, transport: Transport) -> tuple[Client, Writer]:
    writer = Writer(path, {"workload": "capacity"}, 0.0)
    made = Client(4, 2, lambda number: f"http://x/replica/{number}", {"key": "k"}, transport,
                  writer)  # fmt: skip
    return made, writer


def test_a_call_is_an_exchange_and_an_operation(tmp_path: Path) -> None:
    refusal = {"errors": [{"code": "placement.concurrent_update", "detail": "again"}]}
    transport = Transport(
        Response(200, "", {"x-openstack-request-id": "req-7"}, b'{"generation": 3}'),
        Response(409, "", {}, json.dumps(refusal).encode()),
        TimeoutError("no answer"),
    )
    kept = Kept()
    asking, writer = client(tmp_path / "h", transport)
    asking.stream.subscribe(kept)
    asking.round = 5
    put = Call("set", "r5/host", "PUT", "/x", {"a": 1}, lambda answer: answer["generation"])
    outcomes = [asking.do(put, replica).outcome for replica in (None, 3, None)]
    writer.close(complete=True)
    assert outcomes == ["ok", "fail", "info"]
    assert [request.url for request in transport.requests] == [
        "http://x/replica/2/x", "http://x/replica/3/x", "http://x/replica/2/x"
    ]  # fmt: skip
    assert transport.requests[0].headers["key"] == "k"
    assert [exchange.request_id for exchange in kept.exchanges] == ["req-7", None, None]
    first, second, third = read(tmp_path / "h").operations
    assert (first.process, first.round, first.replica, first.result) == (4, 5, 2, 3)
    assert first.request == "req-7"
    assert (second.status, second.error) == (409, "placement.concurrent_update again")
    assert (third.status, third.error) == (None, "TimeoutError: no answer")


def test_names_give_the_same_uuids_for_a_seed_and_find_back() -> None:
    names = Names("7")
    made = names.uuid("r0/host")
    assert made == Names("7").uuid("r0/host")
    assert made not in (Names("8").uuid("r0/host"), names.uuid("r1/host"))
    assert (names.name(made), names.name("other"), names.name(3)) == ("r0/host", "other", 3)
