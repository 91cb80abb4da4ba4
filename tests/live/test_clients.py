"""Any OpenStack client works with what `placement-harness env` prints."""

import http.client
import json
import time
import uuid
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.live._live import Commands

SDK = """
import openstack, sys
name = sys.argv[1]
placement = openstack.connect().placement
made = placement.create_resource_provider(name=name)
assert made.id in [one.id for one in placement.resource_providers()]
placement.delete_resource_provider(made)
assert made.id not in [one.id for one in placement.resource_providers()]
print("done", name)
"""


@pytest.fixture
def shell(up: Commands) -> list[str]:
    """A shell command line in which $1 is run with what `env` prints."""
    script = 'eval "$(placement-harness env)" && exec "$@"'
    return ["sh", "-euc", script, "sh"]


def test_the_command_line_client_creates_lists_and_deletes(up: Commands, shell: list[str]) -> None:
    name = f"client-{uuid.uuid4()}"
    provider = [*shell, "openstack", "resource", "provider"]
    made = json.loads(up.run(*provider, "create", name, "--format", "json"))
    listed = json.loads(up.run(*provider, "list", "--format", "json"))
    assert made["uuid"] in [one["uuid"] for one in listed]
    up.run(*provider, "delete", made["uuid"])
    listed = json.loads(up.run(*provider, "list", "--format", "json"))
    assert made["uuid"] not in [one["uuid"] for one in listed]


def test_openstacksdk_creates_lists_and_deletes(up: Commands, shell: list[str]) -> None:
    name = f"sdk-{uuid.uuid4()}"
    assert f"done {name}" in up.run(*shell, "python", "-c", SDK, name)


def test_env_of_a_stack_that_does_not_run_says_how_to_start_one(up: Commands) -> None:
    said = up.harness("env", "--name", "nobody", code=70)
    assert "No stack nobody is running. Start one: placement-harness up" in said


def test_connections_that_clients_leave_open_do_not_keep_others_waiting(up: Commands) -> None:
    # gabbi under tempest leaves a connection open for each test.
    url = urlsplit(up.stack().placement_url)
    begun = time.monotonic()
    with ExitStack() as opened:
        for _ in range(600):
            connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=10)
            opened.callback(connection.close)
            connection.request("GET", f"{url.path}/")
            assert connection.getresponse().read()
    # With 384 as the most, the next one had to wait until others had timed out.
    assert time.monotonic() - begun < 12
