"""Users of keystone for whoever suites pretend to be: made once, their tokens shared."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import HarnessError, StackError
from harness.stack.clients.keystone_users import NO_ROLE, TOKEN_AGE, Users
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from harness.upstream.identities import Identity
from tests.fakes.server import Received, Server, answer

READER = Identity("user", "p", ("reader",))


class Keystone:
    """Knows the users, projects and roles that were made, and lets nobody else in."""

    def __init__(self) -> None:
        self.there: dict[str, dict[str, str]] = {"user": {}, "project": {}, "role": {"reader": "r"}}
        self.given: list[str] = []
        self.tokens = 0
        # Answers to certain requests, by method and path; None lets a request go unanswered.
        self.fails: dict[str, bytes | None] = {}

    def __call__(self, received: Received) -> bytes | None:
        path = received.target.removeprefix("/v3/").partition("?")[0]
        asked = f"{received.method} {path}"
        if asked in self.fails:
            return self.fails[asked]
        if path == "auth/tokens":
            return self._log_in(json.loads(received.body))
        if received.method == "PUT":
            self.given.append(path)
            return answer("204 No Content")
        kind = path.removesuffix("s")
        if received.method == "POST":
            return self._make(kind, json.loads(received.body)[kind])
        found = [{"name": name, "id": number} for name, number in self.there[kind].items()]
        if "name=" in received.target:
            found = [one for one in found if one["name"] == received.target.partition("name=")[2]]
        return answer(body=json.dumps({path: found}).encode())

    def _log_in(self, body: dict[str, Any]) -> bytes:
        name = body["auth"]["identity"]["password"]["user"]["name"]
        if name not in self.there["user"]:
            return answer("401 Unauthorized")
        self.tokens += 1
        return answer("201 Created", headers=(("x-subject-token", f"token-{self.tokens}"),))

    def _make(self, kind: str, entity: dict[str, str]) -> bytes:
        name = entity["name"]
        if name in self.there[kind]:
            return answer("409 Conflict")
        self.there[kind][name] = number = f"id-of-{kind}"
        return answer("201 Created", json.dumps({kind: {**entity, "id": number}}).encode())


@pytest.fixture
def keystone() -> Keystone:
    return Keystone()


@pytest.fixture
def server(keystone: Keystone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path))
    StackState("s").create(Record("s", "keep", 1, 8000), Secrets())
    with Server(keystone) as server:
        yield server


def process(server: Server) -> Users:
    """The users as one more process sees them."""
    state = StackState("s")
    return Users(state, state.secrets(), server.url, "admin's token")


def test_a_user_that_is_not_there_is_made_with_project_and_role(
    server: Server, keystone: Keystone
) -> None:
    assert process(server).token(READER) == "token-1"
    assert keystone.there["user"] == {"user as reader in p": "id-of-user"}
    assert keystone.given == ["projects/id-of-project/users/id-of-user/roles/r"]


def test_one_without_roles_has_one_that_placement_does_not_know(
    server: Server, keystone: Keystone
) -> None:
    process(server).token(Identity("user", None, ()))
    assert keystone.given == ["system/users/id-of-user/roles/id-of-role"]
    assert NO_ROLE in keystone.there["role"]


def test_a_token_is_fetched_once_for_all_processes(server: Server, keystone: Keystone) -> None:
    first, second = process(server), process(server)
    assert first.token(READER) == first.token(READER) == second.token(READER) == "token-1"
    assert keystone.tokens == 1


def test_a_project_may_be_named_by_its_id(server: Server, keystone: Keystone) -> None:
    users = process(server)
    assert users.project("p") == "id-of-project"
    assert users.token(READER) == users.token(Identity("user", "id-of-project", ("reader",)))
    assert keystone.tokens == 1


def test_a_token_that_is_too_old_is_not_used_again(
    server: Server, keystone: Keystone, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert process(server).token(READER) == "token-1"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + TOKEN_AGE + 1)
    assert process(server).token(READER) == "token-2"
    # The user and its project are there: nothing was made again.
    assert len(keystone.given) == 1


def test_what_is_there_already_is_found(server: Server, keystone: Keystone) -> None:
    keystone.there["project"] = {"p": "made-by-another"}
    assert process(server)._make("project", "p") == "made-by-another"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (answer("500 Internal Server Error", b"oops"), "keystone answers 500 to .*: oops"),
        (None, "keystone gives no answer to .*: ConnectionError"),
        (answer(body=b"no JSON"), "keystone gives no answer to .*: JSONDecodeError"),
    ],
)
@pytest.mark.parametrize("asked", ["GET projects", "POST users", "GET roles"])
def test_a_keystone_that_breaks_is_no_failed_test(
    server: Server, keystone: Keystone, asked: str, reply: bytes | None, said: str
) -> None:
    keystone.fails[asked] = reply
    with pytest.raises(StackError, match=said):
        process(server).token(READER)


def test_a_keystone_that_gives_no_tokens_is_no_failed_test(
    server: Server, keystone: Keystone
) -> None:
    keystone.fails["POST auth/tokens"] = answer("500 Internal Server Error")
    with pytest.raises(HarnessError, match="answers 500 to a request for a token"):
        process(server).token(READER)
