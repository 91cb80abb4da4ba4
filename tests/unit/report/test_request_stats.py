"""What a run counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.exchange import Exchange, Request, Response
from harness.report import terminal
from harness.report.request_stats import Tally


def exchange(seconds: float, replica: str | None = None, *, answered: bool = True) -> Exchange:
    headers = {"x-placement-replica": replica} if replica else {}
    response = Response(200, "OK", headers, b"") if answered else None
    return Exchange("suite", "test", Request("GET", "http://host/"), response, 0.0, seconds)


def counted(*exchanges: Exchange) -> Tally:
    tally = Tally()
    for one in exchanges:
        tally.observe(one)
    return tally


def test_percentiles_are_of_answers_in_milliseconds() -> None:
    tally = counted(*(exchange(number / 1000) for number in range(1, 101)))
    latency = tally.latency()
    assert latency is not None
    assert (latency.p50, latency.p95, latency.p99, latency.longest) == pytest.approx(
        (51, 96, 100, 100)
    )


def test_requests_without_an_answer_do_not_count_as_fast_or_slow() -> None:
    tally = counted(exchange(30.0, answered=False), exchange(0.5))
    latency = tally.latency()
    assert latency is not None
    assert latency.longest == 500
    assert (tally.requests, tally.unanswered, tally.waiting) == (2, 1, 30.5)


def test_nothing_answered_has_no_latency() -> None:
    assert Tally().latency() is None
    assert counted(exchange(1.0, answered=False)).latency() is None


def test_replicas_are_listed_by_number_with_those_that_were_silent() -> None:
    tally = counted(*(exchange(0.1, number) for number in ("10", "2", "2", "11")))
    assert list(tally.by_replica(["1", "2", "10"]).items()) == [
        ("1", 0),
        ("2", 2),
        ("10", 1),
        ("11", 1),
    ]
    assert tally.silent(["1", "2", "10"]) == ["1"]


def test_answers_that_name_no_replica_belong_to_none() -> None:
    tally = counted(exchange(0.1))
    assert tally.by_replica([]) == {}
    assert tally.silent(["1"]) == ["1"]


@pytest.mark.parametrize(("requests", "enough"), [(5, False), (6, True)])
def test_every_replica_should_answer_when_there_are_two_requests_for_each(
    requests: int, enough: bool
) -> None:
    tally = counted(*[exchange(0.1, "1")] * requests)
    assert tally.enough_for(["1", "2", "3"]) == enough


def test_client_time_is_what_is_not_waiting() -> None:
    tally = counted(exchange(0.5), exchange(0.25))
    tally.test(0.76)
    tally.test(0.25)
    tally.collecting = 0.02
    assert tally.client == pytest.approx(0.14)
    assert Tally().client == 0.0


def test_workers_numbers_add_up() -> None:
    first, second = (
        counted(exchange(0.1, "1")),
        counted(exchange(0.2, "2"), exchange(1.0, answered=False)),
    )
    first.observe(
        Exchange(
            "", "", exchange(0).request, Response(503, "", {"content-type": "text/html"}, b""), 0, 0
        )
    )
    first.test(0.2)
    second.test(0.3)
    first.collecting, second.collecting = 1.0, 2.0
    whole = Tally()
    for one in (first, second):
        whole.merge(one.dump())
    assert whole.by_replica([]) == {"1": 1, "2": 1}
    assert (whole.requests, whole.unanswered, whole.tests) == (4, 1, 2)
    assert whole.of_proxy == {503: 1}
    assert whole.testing == 0.5
    # They read the suites side by side.
    assert whole.collecting == 2.0


def test_connections_that_the_server_closed_are_counted_apart() -> None:
    closed = replace(exchange(0.1, answered=False), error="ConnectionResetError: GET http://host/")
    late = replace(exchange(30.0, answered=False), error="TimeoutError: GET http://host/")
    tally = counted(closed, late, exchange(0.1))
    worker = counted(closed)
    tally.merge(worker.dump())
    assert (tally.unanswered, tally.closed) == (3, 2)
    line, *_ = terminal.summary(tally, [])
    assert line == "requests  4, 3 without an answer (2 closed by the server)"
    line, *_ = terminal.summary(counted(late), [])
    assert line == "requests  1, 1 without an answer"
