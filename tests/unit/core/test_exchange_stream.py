"""One stream, several observers; and the log that outlives its process."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from harness.core.exchange import Exchange, Request, Response
from harness.core.exchange_log import ExchangeLog, read
from harness.core.exchange_stream import ExchangeStream

TOKEN = "gAAAAABtoken-that-must-not-be-read"
ANSWER = Response(200, "OK", {"x-placement-replica": "2-1"}, b"{}")
EXCHANGE = Exchange("one", "first", Request("GET", "http://h/"), ANSWER, 10.0, 0.25, begin=3.0)


class Kept:
    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def observe(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


class Broken:
    def observe(self, exchange: Exchange) -> None:
        raise RuntimeError("no room left")


def test_every_observer_gets_every_exchange() -> None:
    stream, first, second = ExchangeStream(), Kept(), Kept()
    stream.subscribe(first)
    stream.publish(EXCHANGE)
    stream.subscribe(second)
    stream.publish(EXCHANGE)
    stream.unsubscribe(first)
    stream.publish(EXCHANGE)
    assert (len(first.exchanges), len(second.exchanges)) == (2, 2)


def test_the_requests_of_a_test_are_numbered() -> None:
    stream = ExchangeStream("gw1")
    stream.begin_test("one.yaml", "first")
    numbers = [stream.publish(EXCHANGE).number for _ in range(3)]
    assert stream.publish(replace(EXCHANGE, test="second")).number == 1
    stream.begin_test("one.yaml", "first")
    assert numbers == [1, 2, 3]
    assert stream.publish(EXCHANGE).number == 1


def test_an_exchange_knows_its_worker_its_lane_and_its_end() -> None:
    published = ExchangeStream("gw1").publish(EXCHANGE)
    assert (published.worker, published.lane, published.end) == ("gw1", "2", 3.25)
    assert replace(EXCHANGE, response=None).lane == ""


def test_an_exchange_without_a_suite_belongs_to_the_python_test_that_runs() -> None:
    stream = ExchangeStream()
    stream.begin_test("tests/test_one.py", "test_it")
    published = stream.publish(replace(EXCHANGE, suite="", test=""))
    assert (published.suite, published.test) == ("tests/test_one.py", "test_it")


def test_an_observer_that_fails_costs_the_others_nothing() -> None:
    stream, broken, kept = ExchangeStream(), Broken(), Kept()
    stream.subscribe(broken)
    stream.subscribe(kept)
    stream.publish(EXCHANGE)
    stream.publish(EXCHANGE)
    assert len(kept.exchanges) == 2
    ((observer, error),) = stream.failures
    assert observer is broken
    assert str(error) == "no room left"


def test_a_log_comes_back_without_secrets(tmp_path: Path) -> None:
    request = Request("GET", "http://h/", {"x-auth-token": TOKEN}, f"said {TOKEN}".encode())
    log = ExchangeLog(tmp_path / "log", [TOKEN])
    log.observe(replace(EXCHANGE, request=request, number=2, worker="gw0"))
    log.close()
    assert TOKEN not in (tmp_path / "log").read_text()
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    hidden = Request("GET", "http://h/", {"x-auth-token": "(hidden)"}, b"said (hidden)")
    assert [*read(tmp_path / "log")] == [replace(EXCHANGE, request=hidden, number=2, worker="gw0")]


DIES = """
import os, sys
from pathlib import Path
from harness.core.exchange_log import ExchangeLog, from_data
import json
log = ExchangeLog(Path(sys.argv[1]))
exchange = from_data(json.loads(sys.argv[2]))
for _ in range(3):
    log.observe(exchange)
os.kill(os.getpid(), 9)
"""


def test_a_process_that_is_killed_loses_no_exchange(tmp_path: Path) -> None:
    from harness.core.exchange_log import as_data

    words = [sys.executable, "-c", DIES, str(tmp_path / "log"), json.dumps(as_data(EXCHANGE))]
    assert subprocess.run(words, check=False).returncode == -9
    assert len([*read(tmp_path / "log")]) == 3


def test_a_secret_is_hidden_as_json_writes_it(tmp_path: Path) -> None:
    secret = 'with "quotes" and \\ in it'
    log = ExchangeLog(tmp_path / "log", [secret])
    request = Request("GET", "http://h/", {}, f"said {secret}".encode())
    log.observe(replace(EXCHANGE, request=request))
    log.close()
    (exchange,) = read(tmp_path / "log")
    assert exchange.request.body == b"said (hidden)"


def test_a_line_that_was_cut_is_left_out(tmp_path: Path) -> None:
    log = ExchangeLog(tmp_path / "log")
    log.observe(EXCHANGE)
    log.observe(EXCHANGE)
    log.close()
    text = (tmp_path / "log").read_text()
    (tmp_path / "log").write_text(text[:-20])
    assert len([*read(tmp_path / "log")]) == 1
