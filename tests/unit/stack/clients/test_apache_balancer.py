"""Replicas are taken out and put in through Apache's balancer-manager."""

import time
import urllib.parse
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.stack.clients.apache_balancer import Balancer, Balancers, Member
from harness.stack.handle import Stack
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from tests.fakes.server import Received, Server, answer

KEY = "k" * 32
PAGE = """<?xml version="1.0" encoding="UTF-8" ?>
<httpd:manager xmlns:httpd="http://httpd.apache.org">
 <httpd:balancers><httpd:balancer><httpd:name>balancer://placement</httpd:name>
  <httpd:workers>{}</httpd:workers>
 </httpd:balancer></httpd:balancers>
</httpd:manager>"""
WORKER = """<httpd:worker><httpd:name>uwsgi://one-placement-{0}:8778</httpd:name>
<httpd:route>{0}</httpd:route><httpd:status>{1}</httpd:status><httpd:busy> {2} </httpd:busy>
</httpd:worker>"""


class Apache:
    """The part of balancer-manager that the harness uses; each look finishes one request."""

    def __init__(self) -> None:
        self.busy = {1: 0, 2: 3}
        self.enabled = {1: True, 2: True}
        self.deaf = False

    def __call__(self, request: Received) -> bytes:
        if request.headers.get("x-harness-key") != KEY.encode():
            return answer("403 Forbidden")
        if request.method == "POST":
            form = urllib.parse.parse_qs(request.body.decode())
            # Apache ignores what does not come from its own page, and answers 200.
            if form["nonce"] == [KEY] and "referer" in request.headers and not self.deaf:
                (worker,), (disabled,) = form["w"], form["w_status_D"]
                self.enabled[int(worker.split(":")[1][-1])] = disabled == "0"
            return answer()
        workers = ""
        for number, busy in self.busy.items():
            status = "Init Ok " if self.enabled[number] else "Init Dis Ok "
            workers += WORKER.format(number, status, busy)
            if not self.enabled[number]:
                self.busy[number] = max(0, busy - 1)
        return answer(body=PAGE.format(workers).encode())


@pytest.fixture
def apache() -> Apache:
    return Apache()


@pytest.fixture
def balancer(apache: Apache) -> Iterator[Balancer]:
    with Server(apache) as server, requests.Session() as session:
        yield Balancer(session, server.url, KEY)


def test_members_are_told_with_their_state_and_their_work(balancer: Balancer) -> None:
    assert balancer.members() == [
        Member(1, "uwsgi://one-placement-1:8778", enabled=True, busy=0),
        Member(2, "uwsgi://one-placement-2:8778", enabled=True, busy=3),
    ]


def test_a_replica_is_drained_when_it_has_finished_its_requests(
    balancer: Balancer, apache: Apache
) -> None:
    balancer.drain(2, Deadline.after(10))
    assert apache.enabled == {1: True, 2: False}
    assert apache.busy[2] == 0
    balancer.enable(2)
    assert apache.enabled == {1: True, 2: True}


def test_others_than_those_that_are_named_get_no_requests(
    balancer: Balancer, apache: Apache
) -> None:
    apache.enabled = {1: True, 2: False}
    balancer.only([2])
    assert apache.enabled == {1: False, 2: True}
    balancer.only(range(1, 3))
    assert apache.enabled == {1: True, 2: True}


def test_a_count_that_stays_above_zero_is_waited_for_no_longer_than_apache_does(
    balancer: Balancer, apache: Apache
) -> None:
    apache.busy[2] = 10_000
    balancer.drain(2, Deadline.after(0.2))
    assert apache.enabled == {1: True, 2: False}
    assert 0 < apache.busy[2] < 10_000


@pytest.mark.parametrize("key", [KEY, "wrong"])
def test_an_apache_that_gives_no_answer_is_said(key: str) -> None:
    with Server(Apache()) as server:
        url = server.url if key == "wrong" else "http://127.0.0.1:1"
        with pytest.raises(StackError, match="balancer-manager gives no answer: ") as caught:
            Balancer(requests.Session(), url, key).members()
    assert "placement-harness logs apache" in caught.value.remedy


@pytest.mark.parametrize("word", ["enable", "disable"])
def test_a_change_that_apache_ignores_is_noticed(
    balancer: Balancer, apache: Apache, word: str
) -> None:
    apache.deaf, apache.enabled[1] = True, word == "disable"
    with pytest.raises(StackError, match=f"Apache did not {word} replica 1") as caught:
        balancer.enable(1) if word == "enable" else balancer.drain(1, Deadline.after(1))
    assert "placement-harness logs apache" in caught.value.remedy


def test_a_replica_is_taken_out_of_every_lane_that_has_it() -> None:
    told: list[tuple[object, ...]] = []

    class Lane(Balancer):
        def __init__(self, name: str) -> None:
            self.name = name

        def only(self, replicas: Collection[int]) -> None:
            told.append((self.name, "only", *replicas))

        def enable(self, replica: int) -> None:
            told.append((self.name, "enable", replica))

        def drain(self, replica: int, deadline: Deadline) -> None:
            told.append((self.name, "drain", replica))

    balancers = Balancers({Lane("1"): range(1, 4), Lane("2"): range(1, 4), Lane("cors"): [1]})
    balancers.drain(2, Deadline.after(1))
    balancers.enable(1)
    assert told == [("1", "drain", 2), ("2", "drain", 2)] + [
        (name, "enable", 1) for name in ("1", "2", "cors")
    ]
    told.clear()
    balancers.only([1, 2])
    assert told == [("1", "only", 1, 2), ("2", "only", 1, 2), ("cors", "only", 1)]


def test_a_stack_speaks_to_its_balancers_over_one_connection_and_closes_it(
    apache: Apache, tmp_path: Path
) -> None:
    with Server(apache) as server:
        state = StackState("one", tmp_path)
        secrets = replace(Secrets(), balancer_key=KEY)
        record = Record("one", "keep", 2, int(server.url.rpartition(":")[2]), ready=True)
        state.create(record, secrets)
        stack = Stack(state, record, secrets)
        for _ in range(3):
            stack.balancer.only([1])
            stack.balancer.only([1, 2])
        assert {received.connection for received in server.received} == {0}
        assert len(server.connections) == 1
        stack.close()
        end = time.monotonic() + 5
        while server.connections and time.monotonic() < end:
            time.sleep(0.01)
        assert server.connections == []
