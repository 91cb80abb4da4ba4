"""A live placement: what a check made there is deleted, and nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from harness.consistency.client import Call
from harness.consistency.cloud import Cloud, required
from harness.consistency.history import Writer
from harness.consistency.workloads import WORKLOADS
from harness.core.errors import TargetError, UsageError
from harness.core.exchange import Request, Response
from harness.targets.base import Target

URL = "http://cloud/placement"


class Placement:
    """A target that has what was written to it; a parent goes only after its child."""

    url = URL

    def __init__(self, stuck: str = "") -> None:
        self.there: dict[str, Any] = {"/traits/CUSTOM_MINE": None}
        self.stuck = stuck
        # Consumers without a claim, and their generations.
        self.left: dict[str, int] = {}

    def token(self) -> str:
        return "token"

    def transport(self) -> Placement:
        return self

    def close(self) -> None: ...

    def send(self, request: Request, *, timeout: float, redirects: bool = False) -> Response:
        path = request.url.removeprefix(URL)
        body = json.loads(request.body) if request.body else {}
        if request.method == "POST" and path == "/resource_providers":
            self.there[f"{path}/{body['uuid']}"] = body.get("parent_provider_uuid")
        elif request.method == "POST":
            for consumer in body.get("allocations", body):
                self.there[f"/allocations/{consumer}"] = None
        elif request.method == "PUT" and path.startswith("/allocations/"):
            generation = body.get("consumer_generation")
            if (path in self.there and generation is None) or generation != self.left.get(path):
                return Response(409, "", {}, b"")
            self.left.pop(path, None)
            self.there[path] = None
        elif request.method == "PUT" and not path.endswith("/inventories"):
            self.there[path] = None
        elif request.method == "GET":
            return Response(200 if path in self.there else 404, "", {}, b"{}")
        elif path not in self.there:
            return Response(404, "", {}, b"")
        elif path == self.stuck or path.split("/")[-1] in self.there.values():
            return Response(409, "", {}, b"")
        else:
            del self.there[path]
        return Response(200, "", {}, b"")


def write(cloud: Cloud, tmp_path: Path, *calls: tuple[str, str, Any]) -> None:
    writer = Writer(tmp_path / "h", {}, 0.0)
    client = cloud.client(0, writer)
    for method, path, body in calls:
        client.do(Call("write", None, method, path, body))
    writer.close(complete=True)


CALLS: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/resource_providers", {"uuid": "root"}),
    ("POST", "/resource_providers", {"uuid": "child", "parent_provider_uuid": "root"}),
    ("PUT", "/allocations/a", {"allocations": {}}),
    ("POST", "/allocations", {"b": {}}),
    ("POST", "/reshaper", {"inventories": {}, "allocations": {"c": {}}}),
    ("PUT", "/traits/CUSTOM_ITS", None),
)


def test_what_was_made_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    placement = Placement()
    cloud = Cloud(cast("Target", placement))
    write(cloud, tmp_path, *CALLS)
    assert len(placement.there) == 7
    assert cloud.clean() == 6
    assert placement.there == {"/traits/CUSTOM_MINE": None}
    assert cloud.clean() == 0


def test_consumers_that_placement_has_left_behind_are_deleted(tmp_path: Path) -> None:
    placement = Placement()
    cloud = Cloud(cast("Target", placement))
    placement.left = {"/allocations/a": 0}
    # Placement refuses the claim, since the consumer is there already.
    write(cloud, tmp_path, ("PUT", "/allocations/a", {"allocations": {}}))
    cloud.clean()
    assert placement.left == {}
    assert placement.there == {"/traits/CUSTOM_MINE": None}


def test_what_cannot_be_deleted_is_named(tmp_path: Path) -> None:
    placement = Placement(stuck="/resource_providers/child")
    cloud = Cloud(cast("Target", placement))
    write(cloud, tmp_path, *CALLS)
    with pytest.raises(TargetError, match=r"2 things .* /resource_providers/child, /resource_"):
        cloud.clean()


def test_rows_are_those_that_requests_show(tmp_path: Path) -> None:
    cloud = Cloud(cast("Target", Placement()))
    write(cloud, tmp_path, ("PUT", "/traits/CUSTOM_ITS", None))
    assert cloud.rows() == {
        "providers": [],
        "allocations": [],
        "custom traits": [["CUSTOM_ITS", 1]],
        "custom classes": [],
    }


def test_workloads_that_leave_something_are_left_out() -> None:
    chosen = required(URL, True, None, ())
    assert {*WORKLOADS} - {*chosen} == {"provider-generation", "failed-claims", "races"}
    assert required(URL, True, ["moves"], ()) == ["moves"]
    assert required(None, False, ["races"], ["scale"]) == ()
    with pytest.raises(UsageError, match="would leave consumers without claims"):
        required(URL, True, ["failed-claims"], ())
