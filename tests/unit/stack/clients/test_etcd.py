"""Settings in the stack's etcd: written together, read by prefix, each replica its own."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.stack.clients import etcd as module
from harness.stack.clients.etcd import Etcd
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.state import StackState
from tests.fakes.server import Received, Server, answer

PASSWORD = "root-password"
ONE, TWO, THREE = map(ReplicaId.first, (1, 2, 3))


class FakeEtcd:
    """The part of etcd's gateway that the harness uses."""

    def __init__(self) -> None:
        self.keys: dict[bytes, bytes] = {}
        self.calls: list[str] = []

    def __call__(self, received: Received) -> bytes:
        self.calls.append(received.target)
        body = json.loads(received.body)
        if received.target == "/v3/auth/authenticate":
            if body != {"name": "root", "password": PASSWORD}:
                return _json(400, {"code": 3, "message": "invalid user ID or password"})
            return _json(200, {"token": "a-token"})
        assert received.headers["authorization"] == b"a-token"
        what = {"range": self._range, "deleterange": self._delete, "txn": self._txn}
        return _json(200, what[received.target.removeprefix("/v3/kv/")](body))

    def _range(self, body: dict[str, str]) -> dict[str, Any]:
        first, end = (base64.b64decode(body[name]) for name in ("key", "range_end"))
        found = sorted((key, value) for key, value in self.keys.items() if first <= key < end)
        kvs = [{"key": _text(key), "value": _text(value)} for key, value in found]
        return {"kvs": kvs} if kvs else {}

    def _delete(self, body: dict[str, str]) -> dict[str, Any]:
        for one in self._range(body).get("kvs", []):
            del self.keys[base64.b64decode(one["key"])]
        return {}

    def _txn(self, body: dict[str, Any]) -> dict[str, Any]:
        for one in body["success"]:
            if "request_put" in one:
                put = one["request_put"]
                self.keys[base64.b64decode(put["key"])] = base64.b64decode(put["value"])
            else:
                self.keys.pop(base64.b64decode(one["request_delete_range"]["key"]), None)
        return {"succeeded": True}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _json(status: int, body: dict[str, Any]) -> bytes:
    return answer(f"{status} Whatever", json.dumps(body).encode())


@pytest.fixture
def fake() -> FakeEtcd:
    return FakeEtcd()


@pytest.fixture
def server(fake: FakeEtcd) -> Iterator[Server]:
    with Server(fake) as server:
        yield server


@pytest.fixture
def etcd(server: Server) -> Etcd:
    return Etcd(server.url, PASSWORD)


def test_what_is_written_is_read(etcd: Etcd) -> None:
    etcd.write({"/placement/placement-1/group/option": "Grüße\n🙂", "/placement/a/b/c": ""})
    etcd.write({"/placement2/a/b/c": "another's"})
    assert etcd.read("/placement") == {"placement-1/group/option": "Grüße\n🙂", "a/b/c": ""}
    assert etcd.read("/nothing") == {}


def test_all_is_written_at_once(etcd: Etcd, fake: FakeEtcd) -> None:
    etcd.write_setting("DEFAULT/debug", {ONE: "true", TWO: "true"})
    assert fake.calls == ["/v3/auth/authenticate", "/v3/kv/txn"]
    assert set(fake.keys) == {
        b"/placement/placement-1/DEFAULT/debug",
        b"/placement/placement-2/DEFAULT/debug",
    }
    found = etcd.read_setting("DEFAULT/debug", [ONE, THREE])
    assert found == {ONE: "true", THREE: None}


def test_what_is_to_be_nothing_is_deleted_with_what_is_written(etcd: Etcd, fake: FakeEtcd) -> None:
    fake.keys[b"/placement/a/b/c"] = b"old"
    etcd.write({"/placement/a/b/c": None, "/placement/a/b/d": "new", "/placement/a/b/e": None})
    assert fake.keys == {b"/placement/a/b/d": b"new"}
    assert fake.calls.count("/v3/kv/txn") == 1


def test_a_wrong_password_is_said(server: Server) -> None:
    with pytest.raises(StackError, match="etcd refuses a request: invalid user ID or password"):
        Etcd(server.url, "another").read("/placement")


def test_an_etcd_that_does_not_answer_is_said() -> None:
    nobody = Etcd("http://127.0.0.1:1", PASSWORD)
    with pytest.raises(StackError, match=r"etcd does not answer at http://127.0.0.1:1: Conn"):
        nobody.read("/placement")
    with pytest.raises(StackError, match="placement-harness logs etcd") as caught:
        nobody.wait(Deadline.after(0.2))
    assert caught.value.service == "etcd"


SETTINGS = {
    "default/config_source": "etcd",
    "default/debug": "false",
    "etcd/driver": "etcd",
    "etcd/password": "reader",
    "placement_database/connection": "mysql://one",
}


def test_a_replica_is_told_where_its_settings_are_and_nothing_else() -> None:
    assert module.environment(SETTINGS, TWO) == {
        "OS_DEFAULT__CONFIG_SOURCE": "etcd",
        "OS_ETCD__DRIVER": "etcd",
        "OS_ETCD__PASSWORD": "reader",
        "OS_ETCD__PREFIX": "/placement/placement-2",
    }


def test_settings_are_delivered_to_replicas_that_have_none(
    etcd: Etcd, fake: FakeEtcd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Etcd, "of", lambda state: etcd)
    fake.keys[b"/placement/placement-1/DEFAULT/debug"] = b"changed since"
    settings = {ONE: SETTINGS, TWO: SETTINGS}
    module.deliver(StackState("one", tmp_path), settings)
    assert fake.keys == {
        b"/placement/placement-1/DEFAULT/debug": b"changed since",
        b"/placement/placement-2/DEFAULT/debug": b"false",
        b"/placement/placement-2/placement_database/connection": b"mysql://one",
    }


def test_replicas_that_are_gone_are_forgotten(
    etcd: Etcd, fake: FakeEtcd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Etcd, "of", lambda state: etcd)
    etcd.write({f"/placement/placement-{number}/a/b": "old" for number in (1, 2, 3, 10)})
    module.forget(StackState("one", tmp_path), [THREE, ONE])
    assert set(etcd.read("/placement")) == {"placement-2/a/b", "placement-10/a/b"}


def test_an_etcd_that_answers_is_required_before_a_replica_is_taken_out(
    etcd: Etcd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    state = StackState("one", tmp_path)
    monkeypatch.setattr(Etcd, "of", lambda state: etcd)
    module.require(state)
    monkeypatch.setattr(Etcd, "of", lambda state: Etcd("http://127.0.0.1:1", PASSWORD))
    with pytest.raises(StackError, match="etcd does not answer"):
        module.require(state)


def test_all_requests_go_over_one_connection_that_is_closed(server: Server) -> None:
    with Etcd(server.url, PASSWORD) as etcd:
        for number in range(3):
            etcd.write({f"/placement/a/b/{number}": "x"})
        assert len(etcd.read("/placement")) == 3
    assert {received.connection for received in server.received} == {0}
    end = time.monotonic() + 5
    while server.connections and time.monotonic() < end:
        time.sleep(0.01)
    assert server.connections == []


def test_only_a_stack_with_etcd_pays_for_its_client() -> None:
    code = "import sys, harness.stack.lifecycle.up, harness.targets.stack; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "harness.stack.clients.etcd" in loaded
    assert "etcd3gw" not in loaded
