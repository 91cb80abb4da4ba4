"""Attaching and detaching, with a fake docker and a cloud that answers as it is told."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from harness.attach import attachment, detachment, project, starting
from harness.attach.attachment import CLOUD, LINES_OUT
from harness.attach.cloud import Cloud
from harness.config.plan import Plan
from harness.core.errors import HarnessError, StackError, UsageError
from harness.core.paths import state_root
from harness.core.process import Outcome
from harness.placements import specs
from harness.stack.lifecycle import reuse, teardown, up
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.operations import placement_options
from tests.fakes.engine import container, lists
from tests.fakes.machine import Machine
from tests.fakes.quick_engine import PROJECT, WELL, downs, quick, ups

_quick = pytest.fixture(autouse=True)(quick)
WORD = "a-secret-word"
CLOUD_ = Cloud(
    {
        "placement_database/connection": f"mysql+pymysql://root:{WORD}@db/placement",
        "keystone_authtoken/auth_url": "http://k/identity",
        "keystone_authtoken/password": f"$1{WORD}",
    },
    {"policy.yaml": "{}"},
)
REPLICA = container("at-placement-1", stack="at")
PLAN = Plan(replicas=2, name="at", lifetime="keep")


class World:
    """A machine with docker, on which a cloud can be looked at."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self._machine = machine
        self.steps = machine.steps
        self.calls = machine.calls_file
        self._folder = folder
        self.head = specs.resolve("").schema.head
        self.answers()

    def answers(self, *looks: dict[str, Any], error: str = "", log: str = "") -> None:
        """Let the looks at the cloud give these answers in turn; the last one stays."""
        described = json.loads(json.dumps(PROJECT))
        described["services"]["placement"]["command"] = ["--ini", "--uwsgi-socket=:8778"]
        config = self._folder / "config.json"
        config.write_text(json.dumps(described))
        whole = {
            "database": {"revision": self.head, "tables": {"users": {"1": "a"}}, "missing": []},
            "memcached": {"m:1": None},
            "keystone": {"token": "t"},
        }
        for number, look in enumerate(looks or ({},), 1):
            (self._folder / f"look-{number}").write_text(json.dumps({**whole, **look}))
        last, at = len(looks or ({},)), self._folder / "at"
        at.write_text("0")
        script = (
            f"read n < {at}; [ $n -ge {last} ] || n=$((n + 1)); echo $n > {at}; "
            f'while read -r line; do echo "$line"; done < {self._folder}/look-$n'
        )
        # The script has no newline at its end: read gives the last line and fails.
        script = script.replace("read -r line;", 'read -r line || [ "$line" ];')
        run = f"echo {error} >&2; exit 1" if error else script
        self._machine.has(
            "docker",
            {
                **WELL,
                "compose*config*": f'while read -r l || [ "$l" ]; do echo "$l"; done < {config}',
                "run*": run,
                **({"ps*": lists(REPLICA), "logs*": f"echo {log}"} if log else {}),
            },
        )

    def attach(self, network: str = "net", *, may_add: bool = False) -> attachment.Attached:
        return attachment.attach(PLAN, CLOUD_, network, self.steps.append, may_add=may_add)


@pytest.fixture
def world(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(attachment, "ensure_images", lambda *_: [])
    monkeypatch.setattr(starting, "_ask", lambda *_: None)
    return World(machine, tmp_path)


def changed(**database: object) -> dict[str, Any]:
    whole = {"revision": specs.resolve("").schema.head, "tables": {}, "missing": []}
    return {"database": {**whole, **database}}


def giving(name: str, value: str, **more: str) -> Cloud:
    settings = {**CLOUD_.settings, **more, name: value}
    return dataclasses.replace(CLOUD_, settings=settings, given={name: value})


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image whose placement has two options."""

    def in_image(placement: object) -> placement_options.Python:
        def python(script: str, stdin: bytes) -> Outcome:
            name = json.loads(stdin)["name"]
            names = dict.fromkeys(
                ("api/auth_strategy", "placement/max_allocation_candidates"), False
            )
            known = {"names": names, "type": "integer" if name in names else None, "error": None}
            return Outcome(0, json.dumps(known), "")

        return python

    monkeypatch.setattr(placement_options, "in_image", in_image)


def nothing_is_left(machine: Machine) -> bool:
    return not (state_root() / "at").exists() and ups(machine) == 0


def test_replicas_stand_in_the_clouds_network_with_its_settings(world: World) -> None:
    done = world.attach()
    state = StackState("at")
    described = json.loads(state.compose_file.read_text())
    assert sorted(described["services"]) == [project.PROXY, "placement-1", "placement-2"]
    assert described["networks"] == {"default": {"name": "net", "external": True}}
    replica = described["services"]["placement-2"]
    assert replica["container_name"] == "at-placement-2"
    assert replica["command"] == ["--ini", "--uwsgi-socket=:8778"]
    assert replica["environment"]["OS_KEYSTONE_AUTHTOKEN__PASSWORD"] == f"$$1{WORD}"
    assert described["services"][project.PROXY]["environment"]["REPLICA_PREFIX"] == "at-placement-"
    assert "uwsgi://at-placement-2:8778" in done.lines_in
    assert (state.policy_file("1")).read_text() == "{}"
    record = state.record()
    assert record is not None
    assert (record.ready, record.attached) == (True, "net")
    # The claim of the name is the only volume: nothing of the cloud's can go with it.
    assert "volumes" not in described or all(
        one["external"] for one in described["volumes"].values()
    )


def test_on_the_hosts_network_each_has_an_address_of_loopback(world: World) -> None:
    done = world.attach("host")
    described = json.loads(StackState("at").compose_file.read_text())
    assert "networks" not in described
    for service in described["services"].values():
        assert service["network_mode"] == "host"
        assert "ports" not in service
    command = described["services"]["placement-2"]["command"]
    port = command[-1].rpartition(":")[2]
    assert command[-1] == f"--uwsgi-socket=127.0.0.2:{port}"
    assert f"uwsgi://127.0.0.2:{port}" in done.lines_in
    proxy = described["services"][project.PROXY]["environment"]
    assert proxy["LISTEN"] == f"127.0.0.1:{done.record.port}"
    assert (proxy["REPLICA_PREFIX"], proxy["REPLICA_PORT"]) == ("127.0.0.", port)


def test_no_secret_is_on_a_command_line_or_said(world: World) -> None:
    world.attach()
    detachment.detach("at", world.steps.append)
    assert WORD not in world.calls.read_text()
    assert WORD not in " ".join(world.steps)


@pytest.mark.parametrize(
    ("look", "problem"),
    [
        ({"database": {"error": "no route"}}, "cannot reach the cloud's database placement at db"),
        ({"memcached": {"m:1": "refused"}}, "memcached at m:1"),
        ({"keystone": {"error": "401"}}, "keystone at http://k/identity gives"),
        (changed(revision=None), "none of placement's"),
        (changed(revision="ffff"), "another or older"),
        (changed(missing=["A", "B"]), "would add 2 standard traits"),
    ],
)
def test_a_cloud_that_cannot_be_served_is_left_and_nothing_stays(
    world: World, machine: Machine, look: dict[str, Any], problem: str
) -> None:
    world.answers(look)
    with pytest.raises(HarnessError) as caught:
        world.attach()
    assert problem in str(caught.value)
    assert nothing_is_left(machine)


@pytest.mark.usefixtures("options")
def test_an_option_that_placement_lacks_is_refused_with_the_nearest_ones(
    world: World, machine: Machine
) -> None:
    cloud = giving("placement/max_alocation_candidates", "9")
    with pytest.raises(UsageError) as caught:
        attachment.attach(PLAN, cloud, "net", world.steps.append)
    assert "placement has no option placement/max_alocation_candidates" in str(caught.value)
    assert "Did you mean placement/max_allocation_candidates?" in str(caught.value)
    assert nothing_is_left(machine)


@pytest.mark.usefixtures("options")
def test_an_option_that_placement_has_is_taken(world: World) -> None:
    cloud = giving("placement/max_allocation_candidates", "9")
    attachment.attach(PLAN, cloud, "net", world.steps.append)
    compose = json.loads(StackState("at").compose_file.read_text())
    environment = compose["services"]["placement-1"]["environment"]
    assert environment["OS_PLACEMENT__MAX_ALLOCATION_CANDIDATES"] == "9"


@pytest.mark.usefixtures("options")
def test_the_options_of_another_login_are_those_of_its_plugin(world: World) -> None:
    login = {"keystone_authtoken/auth_type": "v3applicationcredential"}
    cloud = giving("keystone_authtoken/application_credential_id", "1", **login)
    assert attachment.attach(PLAN, cloud, "net", world.steps.append).record.attached


def test_an_older_schema_is_called_older(world: World, machine: Machine) -> None:
    schema = specs.resolve("").schema
    world.answers(changed(revision=min(schema.known - {schema.head})))
    with pytest.raises(UsageError, match="which is newer"):
        world.attach()
    assert nothing_is_left(machine)


def test_a_network_that_is_not_there_is_an_error(world: World, machine: Machine) -> None:
    world.answers(error="network net not found")
    with pytest.raises(StackError, match="could not be looked at from the network net"):
        world.attach()
    assert nothing_is_left(machine)


def test_a_start_that_writes_is_undone(world: World, machine: Machine) -> None:
    world.answers({}, changed(tables={"traits": {"1": "a"}}))
    with pytest.raises(StackError, match="not what it was before the replicas started: traits"):
        world.attach()
    assert downs(machine) == 1
    assert not (state_root() / "at").exists()


def test_traits_may_be_added_where_that_is_allowed(world: World) -> None:
    world.answers(changed(missing=["A"]), changed(tables={"traits": {"1": "a"}}))
    tables = world.attach(may_add=True).tables
    assert [table.added for table in tables if table.name == "traits"] == [1]


def test_what_clients_write_meanwhile_is_said(world: World) -> None:
    world.answers({}, changed(tables={"users": {"1": "a", "2": "b"}}))
    (users,) = world.attach().tables
    assert users.added == 1


def test_a_name_that_is_taken_is_refused(world: World, machine: Machine) -> None:
    world.attach()
    with pytest.raises(StackError, match="at is attached already, in the network net"):
        world.attach()
    assert StackState("at").record() is not None
    state = StackState("at")
    state.create(Record("at", "keep", 3, 1, ready=True), Secrets())
    with pytest.raises(StackError, match="a stack at already"):
        world.attach()
    assert downs(machine) == 0


def test_detach_says_what_became_of_the_database(world: World, machine: Machine) -> None:
    world.attach()
    world.answers(changed(tables={"users": {"2": "b"}}))
    done = detachment.detach("at", world.steps.append)
    assert [(one.added, one.removed) for one in done.meanwhile] == [(1, 1)]
    assert all(one.is_same for one in done.at_the_end)
    assert downs(machine) == 1
    assert not (state_root() / "at").exists()


def test_detach_removes_also_where_the_database_cannot_be_read(
    world: World, machine: Machine
) -> None:
    world.attach()
    world.answers({"database": {"error": "gone"}})
    with pytest.raises(StackError, match=r"at is removed, but .* was not seen: .*gone"):
        detachment.detach("at", world.steps.append)
    assert downs(machine) == 1
    assert not (state_root() / "at").exists()


def test_detach_removes_also_where_its_notes_are_lost(world: World) -> None:
    world.attach()
    (StackState("at").directory / CLOUD).unlink()
    with pytest.raises(StackError, match=r"at is removed, but .*cloud\.json cannot be read"):
        detachment.detach("at", world.steps.append)


def test_detach_leaves_replicas_that_get_requests(world: World, machine: Machine) -> None:
    world.attach()
    world.answers(log="INFO placement.requestlog")
    with pytest.raises(
        StackError, match="have answered requests in the last 5 s, 1 in all"
    ) as caught:
        detachment.detach("at", world.steps.append)
    assert "apache-out.conf" in caught.value.remedy
    assert downs(machine) == 0
    state = StackState("at")
    assert state.acquire(), "nothing holds it after the refusal"
    state.release()
    detachment.detach("at", world.steps.append, at_once=True)
    assert not (state_root() / "at").exists()


def test_the_requests_of_attach_itself_are_not_counted(world: World, machine: Machine) -> None:
    """The log is read from the moment at which attach had sent its last request."""
    world.attach()
    world.answers(log="INFO nothing")
    written = (StackState("at").directory / LINES_OUT).stat().st_mtime
    detachment.detach("at", world.steps.append)
    (read,) = [call.split() for call in machine.calls if call.startswith("docker logs")]
    assert float(read[read.index("--since") + 1]) == pytest.approx(written, abs=0.01)


def test_a_log_without_requests_keeps_nothing_from_being_removed(world: World) -> None:
    world.attach()
    world.answers(log="a word of uwsgi")
    detachment.detach("at", world.steps.append)
    assert not (state_root() / "at").exists()


def test_detach_removes_no_stack(world: World, machine: Machine) -> None:
    with pytest.raises(StackError, match="Nothing named at is attached"):
        detachment.detach("at", world.steps.append)
    StackState("at").create(Record("at", "keep", 3, 1, ready=True), Secrets())
    with pytest.raises(StackError, match="a stack with a database of its own"):
        detachment.detach("at", world.steps.append)
    assert downs(machine) == 0


def test_no_run_takes_it_for_a_stack_and_reap_leaves_it(world: World, machine: Machine) -> None:
    world.attach()
    for lifetime in ("reuse", "keep", "replace"):
        with pytest.raises(StackError, match="replicas of an existing cloud, and no stack"):
            up.bring_up(Plan(lifetime=lifetime, name="at"), world.steps.append)
    with pytest.raises(StackError, match="no stack"):
        reuse.running_stack(StackState("at"))
    assert teardown.reap(world.steps.append, everything=True) == []
    assert downs(machine) == 0


def test_reap_removes_an_attachment_that_was_killed_while_it_began(world: World) -> None:
    state = StackState("at")
    state.create(Record("at", "keep", 3, 1, attached="net"), Secrets())
    assert teardown.reap(world.steps.append) == ["at"]
