"""`placement-harness tempest`, with a program in tempest's place that says what it is told to."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from harness.cli import program
from harness.config.plan import Lane
from harness.core.errors import StackError
from harness.core.exchange import Exchange, Request, Response
from harness.identity.keystone import Keystone
from harness.stack.clients import apache_log, replica_logs
from harness.stack.handle import Stack
from harness.stack.model import policies
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from tests.fakes.tempest import PASSED, PASSWORD, Fake, fake_tempest

fake = pytest.fixture(fake_tempest)


Harness = Callable[..., tuple[object, str, str]]


@pytest.fixture
def harness(fake: Fake, capsys: pytest.CaptureFixture[str]) -> Harness:
    def call(*words: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            program.main(["tempest", *words])
        said = capsys.readouterr()
        assert PASSWORD not in said.out + said.err
        return ended.value.code, said.out, said.err

    return call


@pytest.fixture
def stack(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> StackState:
    """The state of a stack that seems to run."""
    for name in ("token", "watch", "check"):
        monkeypatch.setattr(Stack, name, lambda self, *_: "a-token")
    monkeypatch.setattr(apache_log, "exchanges", lambda *_: [served(1, time.time())])
    monkeypatch.setattr(Keystone, "token", lambda self: "a-token")
    monkeypatch.setattr(Keystone, "endpoint", lambda *_: "http://127.0.0.1:8778/placement")
    state = StackState("placement-harness")
    state.create(Record(state.name, "keep", 3, 8778, ready=True), Secrets(admin_password=PASSWORD))
    return state


def test_success_is_0_with_counts_and_the_stack_is_let_go(
    harness: Harness, stack: StackState, fake: Fake
) -> None:
    before = sorted(os.listdir(stack.directory))
    code, out, err = harness()
    assert code == 0
    assert out.splitlines()[-1].startswith("2 passed in 1 suite in ")
    assert "gabbits/a.yaml: 2 passed" in err
    assert sorted({*os.listdir(stack.directory)} - {"lock"}) == before
    assert StackState(stack.name).acquire()
    assert str(fake.seen["work"]).startswith(str(stack.directory))


def test_failures_are_1_and_shown_and_written(
    harness: Harness, stack: StackState, fake: Fake
) -> None:
    fake.play([["a_one", "fail", "why\x00 so"], PASSED[1]])
    code, out, _ = harness("--junit-xml", "new/report.xml")
    assert code == 1
    assert out.startswith("FAILED gabbits/a.yaml::One\n  why")
    assert "1 failed, 1 passed in 1 suite in " in out
    cases = ElementTree.parse(fake.folder / "new/report.xml").findall(".//testcase")
    assert [(one.get("classname"), one.get("name"), len(one)) for one in cases] == [
        ("gabbits.a.yaml", "One", 1),
        ("gabbits.a.yaml", "another one", 0),
    ]
    assert "why" in str(cases[0][0].text)


def served(replica: int, at: float, seconds: float = 0.0) -> Exchange:
    headers = {"x-placement-replica": str(replica), "x-openstack-request-id": f"req-{at}"}
    request = Request("GET", "/placement/")
    return Exchange("", "", request, Response(200, "", headers, b""), at, seconds)


def test_who_answered_is_told_as_pytest_tells_it(
    harness: Harness, stack: StackState, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [served(1 + number % 3, time.time(), 0.01) for number in range(7)]
    monkeypatch.setattr(apache_log, "exchanges", lambda *_: asked)
    code, out, _ = harness()
    assert code == 0
    assert "requests  7: replica 1 3, replica 2 2, replica 3 2\nlatency   p50 10.0 ms," in out


def test_a_replica_that_answered_nothing_is_a_failure(
    harness: Harness, stack: StackState, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [served(1 + number % 2, time.time()) for number in range(8)]
    monkeypatch.setattr(apache_log, "exchanges", lambda *_: asked)
    code, out, _ = harness()
    assert code == 1
    assert "FAILED: replica 3 answered none of 8 requests" in out


def unreadable(*_: object) -> list[Exchange]:
    raise StackError("The log of apache-1 cannot be read: no such container.", "See status.")


def test_a_log_that_cannot_be_read_is_70_after_the_results(
    harness: Harness, stack: StackState, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apache_log, "exchanges", unreadable)
    code, out, err = harness("--junit-xml", "report.xml")
    assert code == 70
    assert "2 passed in 1 suite in " in out
    assert "requests. The log of apache-1 cannot be read: no such container. See status." in err
    assert (fake.folder / "report.xml").exists()


def test_a_failed_test_stays_1_where_the_log_cannot_be_read(
    harness: Harness, stack: StackState, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apache_log, "exchanges", unreadable)
    fake.play([["a_one", "fail", "why"], PASSED[1]])
    code, out, _ = harness()
    assert code == 1
    assert "FAILED gabbits/a.yaml::One" in out
    assert "ERROR: There is no proof that replicas have answered" in out


def test_tests_without_a_request_in_the_log_are_70(
    harness: Harness, stack: StackState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apache_log, "exchanges", lambda *_: [])
    code, _, err = harness()
    assert code == 70
    assert "2 tests have run, and Apache's log holds no request to placement" in err


def test_a_failure_has_the_log_lines_of_its_last_request(
    harness: Harness, stack: StackState, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    explained: list[Exchange] = []

    def explain(name: str, exchange: Exchange) -> dict[str, list[str]]:
        explained.append(exchange)
        return {"apache": ["one line"], "replica 2": [f"line {number}" for number in range(50)]}

    began = 1770091506.0
    # Two of the test that failed, one before it and one after.
    asked = [
        served(replica, began + at) for replica, at in ((1, -0.5), (1, 0.1), (2, 0.2), (3, 1.5))
    ]
    monkeypatch.setattr(apache_log, "exchanges", lambda *_: asked)
    monkeypatch.setattr(replica_logs, "of_exchange", explain)
    times = [began, began + 1, began + 1, began + 2]
    fake.play([["a_one", "fail", "why"], PASSED[1]], times=times)
    code, out, _ = harness("--junit-xml", "report.xml")
    assert code == 1
    assert [one.replica for one in explained] == ["2"]
    assert "  log of apache:\n  one line\n  log of replica 2:\n" in out
    assert "  ... 10 earlier lines left out ...\n  line 10\n" in out
    assert "line 49" in (fake.folder / "report.xml").read_text()


def test_a_difference_is_70(harness: Harness, stack: StackState, fake: Fake) -> None:
    fake.play(PASSED[:1])
    code, _, err = harness("gabbits")
    assert code == 70
    assert "ERROR: tempest ran 1 test where the suites hold 2." in err


def test_without_a_stack_the_remedy_is_named(harness: Harness) -> None:
    code, _, err = harness()
    assert code == 70
    assert "No stack placement-harness is running. Start one: placement-harness up" in err


def test_the_catalog_must_lead_to_the_placement_that_is_meant(
    harness: Harness, stack: StackState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keystone, "endpoint", lambda *_: "http://elsewhere/placement")
    code, _, err = harness()
    assert code == 70
    assert "has placement: http://elsewhere/placement. Give that address" in err


def test_a_url_needs_credentials_and_goes_with_no_name(
    harness: Harness, stack: StackState, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    url = "http://127.0.0.1:8778/placement"
    assert harness("--url", url)[0] == 70
    monkeypatch.setenv("OS_CLOUD", "some")
    assert "cloud some is not that. Set OS_AUTH_URL" in harness("--url", url)[2]
    assert harness("--url", "nonsense")[0] == 64
    assert harness("--url", url, "--name", "x")[0] == 64
    monkeypatch.delenv("OS_CLOUD")
    monkeypatch.setenv("OS_AUTH_URL", "http://127.0.0.1:1/identity")
    for name, value in (("USERNAME", "me"), ("PASSWORD", PASSWORD), ("PROJECT_NAME", "mine")):
        monkeypatch.setenv(f"OS_{name}", value)
    code, out, err = harness("--url", f"{url}/")
    assert (code, out[:8]) == (0, "2 passed"), err


def test_directories_that_are_not_there_are_refused(
    harness: Harness, stack: StackState, fake: Fake
) -> None:
    assert harness("nowhere")[0] == 64
    fake.suites.rename(fake.folder / "moved")
    code, _, err = harness()
    assert code == 64
    assert "There is no directory gabbits here." in err


def test_the_policy_of_a_suite_whose_run_was_killed_does_not_count(
    harness: Harness, stack: StackState
) -> None:
    record = stack.record()
    assert record is not None
    stack.save(replace(record, lanes={"1": 8778}))
    policies.prepare(stack, [Lane("1")])
    policies.set_policy(stack, "1", {"a": "role:legacy"})
    assert harness()[0] == 0
    assert stack.policy_file("1").read_text() == "{}"
