"""Images on their way to other hosts: only those that are missing there, and each error named."""

from __future__ import annotations

import pytest

from harness.core.errors import BuildError, StackError
from harness.stack.images.catalogue import IMAGES, needed
from harness.stack.images.contents import Contents, contents_of
from harness.stack.images.delivery import deliver, deliver_replicas
from harness.stack.model.hosts import HERE
from tests.fakes.hosts import A, B
from tests.fakes.machine import FULL, Machine, fails

LISTING, LOAD = "--context {} image ls*", "--context {} load*"


@pytest.fixture
def contents() -> Contents:
    return contents_of(needed("mariadb", "env"))


def tags(contents: Contents, *names: str) -> list[str]:
    return [IMAGES[name].tag(contents.images[name]) for name in names]


def has(*there: str) -> str:
    """A fake docker's answer to a listing of images."""
    return "".join(f"printf '{tag.replace(':', chr(9))}\\tid\\n';" for tag in there) or "exit 0"


def saved(machine: Machine) -> list[list[str]]:
    calls = sorted(call for call in machine.calls if call.startswith("docker save "))
    return [call.removeprefix("docker save ").split() for call in calls]


def test_the_first_host_gets_what_services_run_and_others_what_replicas_run(
    machine: Machine, contents: Contents
) -> None:
    machine.has("docker", {"save*": "echo archive", "*load*": "/bin/cat"})
    deliver(contents, (A, B), machine.steps.append)
    services = tags(contents, "apache", "memcached", "placement", "keystone", "mariadb")
    assert sorted(saved(machine), key=len) == [tags(contents, "placement"), services]
    assert sorted(machine.steps) == [
        "copying images to a: apache, memcached, placement, keystone, mariadb",
        "copying images to b: placement",
    ]


def test_what_is_there_is_not_copied_again(machine: Machine, contents: Contents) -> None:
    services = tags(contents, "apache", "memcached", "placement", "keystone")
    listings = {LISTING.format("a"): has(*services), LISTING.format("b"): has(services[2])}
    machine.has("docker", {**listings, "save*": "echo archive", "*load*": "/bin/cat"})
    deliver(contents, (A, B), machine.steps.append)
    assert saved(machine) == [tags(contents, "mariadb")]
    machine.steps.clear()
    deliver_replicas(contents, (A, B), machine.steps.append)
    assert machine.steps == []


def test_dockers_current_engine_has_what_it_has_built(machine: Machine, contents: Contents) -> None:
    machine.has("docker")
    deliver(contents, HERE, machine.steps.append)
    assert machine.calls == []


@pytest.mark.parametrize(
    ("docker", "kind", "words"),
    [
        ({LOAD.format("b"): fails(FULL)}, BuildError, "The disk of b is full.*Missing there: pl"),
        ({LOAD.format("b"): fails("connection reset")}, StackError,
         "could not be copied to b: connection reset"),
        ({"save*": "exit 1"}, StackError, "could not be copied to .: images are missing"),
    ],
)  # fmt: skip
def test_a_copy_that_fails_names_its_host(
    machine: Machine, contents: Contents, docker: dict[str, str], kind: type[Exception], words: str
) -> None:
    machine.has("docker", {**docker, "save*": "echo archive", "*load*": "/bin/cat", **docker})
    with pytest.raises(kind, match=words):
        deliver(contents, (A, B), machine.steps.append)
