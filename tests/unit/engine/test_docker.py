"""One engine: values from its listings, errors without command lines, changes by the library."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import EngineError
from harness.engine.compose import Compose, Up
from harness.engine.docker import Engine
from harness.engine.values import Container, DockerError, Once
from tests.fakes.engine import container, lists
from tests.fakes.machine import Machine, fails

STACK, STATE = "placement-harness.stack", "placement-harness.state"


def test_containers_are_values_in_the_order_of_their_names(machine: Machine) -> None:
    machine.has(
        "docker", {"ps*": lists("one-mariadb-1", container("one-apache-1", state="exited"))}
    )
    apache, mariadb = Engine().containers({STACK: "one", STATE: None}, (STACK, STATE))
    assert (apache.name, apache.service, apache.state) == ("one-apache-1", "apache", "exited")
    assert apache.labels == {STACK: "one", STATE: ""}
    assert (apache.is_running, mariadb.is_running) == (False, True)
    (call,) = machine.calls
    assert f"--filter label={STACK}=one --filter label={STATE} --format" in call


@pytest.mark.parametrize(
    ("ports", "address"),
    [
        ("127.0.0.1:32768->3306/tcp", ("127.0.0.1", 32768)),
        ("2380/tcp, 127.0.0.1:8080-8082->3305-3307/tcp", ("127.0.0.1", 8081)),
        ("3306/tcp", None),
        ("127.0.0.1:32768->33060/tcp", None),
        ("", None),
    ],
)
def test_a_published_port_has_an_address(ports: str, address: tuple[str, int] | None) -> None:
    assert container("one-mariadb-1", ports=ports).address(3306) == address


def test_networks_and_volumes_have_the_labels_that_were_asked_for(machine: Machine) -> None:
    machine.has("docker", {"network ls*": "printf 'n1\tone\n'", "volume ls*": "printf 'v1\tone\n'"})
    for parts in (Engine().networks({STACK: None}, [STACK]), Engine().volumes({}, [STACK])):
        assert [(part.id[1:], part.labels) for part in parts] == [("1", {STACK: "one"})]


def test_an_engine_is_that_of_a_context_or_at_a_host(machine: Machine) -> None:
    machine.has("docker")
    Engine(context="far").containers({})
    Engine(host="tcp://1.2.3.4").restart("c1", 9)
    assert machine.calls[0].startswith("docker --context far ps ")
    assert machine.calls[1] == "docker --host tcp://1.2.3.4 restart c1"
    with pytest.raises(ValueError, match="a context or a host"):
        Engine(context="far", host="tcp://1.2.3.4")


def copy(engine: Engine) -> None:
    with tempfile.TemporaryFile() as archive:
        engine.copy_into("c1", "/", archive, 9)


CHANGES: list[tuple[Callable[[Engine], object], str]] = [
    (lambda engine: engine.containers({}), "list containers"),
    (lambda engine: engine.remove_containers(["c1"]), "remove containers"),
    (lambda engine: engine.remove_networks(["n1"]), "remove networks"),
    (lambda engine: engine.remove_volumes(["v1"]), "remove volumes"),
    (lambda engine: engine.restart("c1", 9), "restart a container"),
    (lambda engine: engine.stop(["c1"], 5, 9), "stop containers"),
    (lambda engine: engine.signal(["c1"], "HUP", 9), "send HUP to containers"),
    (lambda engine: engine.tag_image("secret", "b"), "tag the image"),
    (lambda engine: engine.logs("c1"), "read a log"),
    (copy, "copy files into a container"),
    (lambda engine: engine.memory(["c1"]), "measure containers"),
    (lambda engine: engine.root, "name the directory of its files"),
    (lambda engine: Compose(engine, [Path("secret.yaml")]).down(), "remove a Compose project"),
    (lambda engine: Compose(engine, [Path("secret.yaml")]).config(), "read the Compose files"),
    (lambda engine: Compose(engine, [Path("secret.yaml")]).up(Up()), "start containers"),
]


@pytest.mark.parametrize(("change", "action"), CHANGES, ids=[action for _, action in CHANGES])
def test_an_error_has_dockers_reason_and_not_its_command_line(
    machine: Machine, tmp_path: Path, change: Callable[[Engine], object], action: str
) -> None:
    machine.has("docker", {"*": fails("first\nthe engine hangs")})
    with pytest.raises(DockerError) as caught:
        change(Engine())
    assert re.match(rf"docker could not {action}.*: the engine hangs\.", caught.value.problem)
    assert caught.value.reason == "the engine hangs"
    assert "first\nthe engine hangs" in caught.value.output
    assert "secret.yaml" not in str(caught.value)
    assert isinstance(caught.value, EngineError)


@pytest.mark.usefixtures("machine")
def test_without_docker_every_method_ends_in_the_same_error() -> None:
    for change in (lambda: Engine().containers({}), lambda: Engine().restart("c1", 9)):
        with pytest.raises(DockerError, match="docker"):
            change()


def test_an_answer_that_cannot_be_read_is_an_error(machine: Machine) -> None:
    machine.has("docker", {"system info*": "echo no JSON"})
    with pytest.raises(DockerError, match="answer cannot be read"):
        _ = Engine().root


def test_a_command_of_the_library_has_a_time_limit(machine: Machine) -> None:
    (machine.path / "timeout").symlink_to("/usr/bin/timeout")
    machine.has("docker", {"restart*": "exec /bin/sleep 60"})
    with pytest.raises(DockerError, match="not done in time"):
        Engine().restart("c1", 0.2)


def test_all_kinds_are_asked_for_their_labels_at_once(machine: Machine) -> None:
    wait = "/bin/sleep 0.5; "
    machine.has(
        "docker",
        {
            "ps*": wait + lists(container("one-apache-1")),
            "network ls*": wait + "printf 'n1\ttwo\t\n'",
            "volume ls*": wait + "printf 'v1\tthree\t\n'",
        },
    )
    labels = Engine().labels({STACK: None}, (STACK, STATE))
    assert [one[STACK] for one in labels] == ["one", "two", "three"]


def test_a_container_that_runs_once_reaches_no_network_unless_it_is_told(machine: Machine) -> None:
    machine.has("docker", {"run*": "/bin/cat"})
    once = Once(volumes={"/a: b": "/b"}, environment={"A": "b"}, confined=True, stdin=b"secret")
    outcome = Engine().run("image", "program", "-x", seconds=9, once=once)
    assert outcome.out == "secret"
    assert machine.calls == [
        "docker run --rm --interactive --pull never --network none --read-only --tmpfs /tmp "
        '--cap-drop ALL --mount type=bind,"source=/a: b",target=/b,readonly --env A=b '
        "--entrypoint program image -x"
    ]


def test_containers_are_told_apart_by_their_ids_alone() -> None:
    """They are keys of mappings, whatever labels a listing was asked for."""
    again = Container("c1", "n", "s", 1, "running", "Up", "", {"a": "b"}, Engine())
    assert {container("n", "s", id_="c1"): 1} == {again: 1}


def test_a_volume_gets_what_the_image_has_in_a_folder(machine: Machine) -> None:
    named = """echo '[{"Name": "v"}]'"""
    machine.has(
        "docker", {"volume create*": "echo v", "volume inspect*": named, "create*": "echo c1"}
    )
    Engine().fill_volumes("image", {"v": "/opt"}, {"label": "image"})
    assert "docker volume create --label label=image v" in machine.calls
    (created,) = (call for call in machine.calls if call.startswith("docker create"))
    assert "--volume v:/opt" in created
    assert machine.calls[-1].startswith("docker container rm ")


def test_the_library_gets_no_setting_that_is_for_other_projects(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONTENT_TRUST", "1")
    (machine.path / "env").symlink_to("/usr/bin/env")
    machine.has("docker", {"*": 'test -z "$DOCKER_CONTENT_TRUST"'})
    Engine().remove_containers(["c1"])
    assert machine.calls[-1] == "docker container rm --force --volumes c1"
