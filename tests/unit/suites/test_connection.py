"""Requests of suites: each that was sent becomes one exchange, and no other does."""

from __future__ import annotations

import pytest

from harness.config.plan import Plan
from harness.core.exchange import Exchange, Request, Response
from harness.core.exchange_stream import ExchangeStream
from harness.suites.connection import Wire
from tests.fakes.target import make

REQUEST = Request("GET", "http://h/")


@pytest.fixture
def published() -> list[Exchange]:
    return []


@pytest.fixture
def wire(published: list[Exchange]) -> Wire:
    class Kept:
        def observe(self, exchange: Exchange) -> None:
            published.append(exchange)

    stream, wire = ExchangeStream(), Wire()
    stream.subscribe(Kept())
    wire.connect(make(Plan(target="fake"), print), stream.publish)
    return wire


def test_an_answer_is_an_exchange(wire: Wire, published: list[Exchange]) -> None:
    response = Response(200, "OK", {}, b"")
    assert wire.exchange("one", "first", REQUEST, lambda: response) is response
    assert [exchange.response for exchange in published] == [response]
    assert wire.last == published[0]


def test_a_request_without_an_answer_is_an_exchange_with_its_error(
    wire: Wire, published: list[Exchange]
) -> None:
    def send() -> Response:
        raise TimeoutError("no answer within 30 s")

    with pytest.raises(TimeoutError):
        wire.exchange("one", "first", REQUEST, send)
    assert [exchange.error for exchange in published] == ["TimeoutError: no answer within 30 s"]


def test_a_request_that_was_refused_before_it_was_sent_is_none(
    wire: Wire, published: list[Exchange]
) -> None:
    def send() -> Response:
        raise ValueError("Invalid header value")

    wire.exchange("one", "first", REQUEST, lambda: Response(200, "OK", {}, b""))
    with pytest.raises(ValueError, match="Invalid header"):
        wire.exchange("one", "second", REQUEST, send)
    assert len(published) == 1
    assert wire.last is None
