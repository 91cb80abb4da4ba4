"""Replicas in place of an existing cloud's placement: the cloud is a stack's reference."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from harness.attach.detachment import RECENT_SECONDS
from harness.stack.model.state import STACK_LABEL, StackState
from tests.live._live import ROOT, Commands, docker, own

SUITES = ("traits", "allocations-post", "provider-generations")
# As a2enmod does, which an Apache on a read-only file system cannot.
MODULES = "".join(
    f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
    for name in ("slotmem_shm", "proxy_balancer", "lbmethod_byrequests")
)
SECONDS = 30.0
# A line of placement's log for each request.
SERVED = "placement.requestlog"


def containers(stack: str) -> list[str]:
    listed = docker("ps", "--all", "--quiet", "--filter", f"label={STACK_LABEL}={stack}")
    return sorted(listed.split())


class Cloud:
    """A cloud with one placement, as devstack sets it up, and data in it."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        commands.harness("up", "--replicas", "1", "--reference")
        stack = commands.stack()
        self.network = f"{stack.name}_default"
        self.url = f"{stack.record.reference_url('1')}/placement"
        self.headers = {"X-Auth-Token": stack.token(), "OpenStack-API-Version": "placement 1.39"}
        inside = f"{stack.name}-reference-placement-1"
        program = "print(open('/etc/placement/placement.conf').read())"
        self.conf = commands.folder / "placement.conf"
        self.conf.write_text(docker("exec", inside, "/opt/placement/bin/python", "-c", program))
        self.apache = f"{stack.name}-reference-1"
        # A run on the cloud, as on any other by its address.
        commands.environment["OS_CLIENT_CONFIG_FILE"] = str(stack.state.clouds_file)
        commands.environment["OS_CLOUD"] = stack.name
        stack.close()

    def attach(self, name: str, *words: str, code: int = 0) -> str:
        conf = () if "--placement-conf" in words else ("--placement-conf", str(self.conf))
        words = ("attach", "--name", name, "--network", self.network, *conf, *words)
        return self.commands.harness(*words, code=code)

    def configure(self, lines: str) -> None:
        """Put lines in place of the ProxyPass line, and let Apache read them."""
        subprocess.run(
            ["docker", "exec", "-i", self.apache, "sh", "-c", "cat > /run/placement-api.conf"],
            input=lines.encode(),
            check=True,
            timeout=60,
        )
        docker("kill", "--signal", "USR1", self.apache)

    def request_id(self) -> str:
        answer = requests.get(f"{self.url}/resource_providers", headers=self.headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.headers["x-openstack-request-id"]

    def served_by(self, name: str, *, is_attached: bool) -> bool:
        """Whether a request is served by what is attached, once Apache has read its lines."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            request = self.request_id()
            running = self.commands.start(
                "placement-harness", "logs", "--name", name, "--request", request
            )
            if (running.ends() == 0) is is_attached:
                return True
            time.sleep(0.2)
        return False

    def fill(self, providers: int = 3) -> None:
        for number in range(providers):
            body = {"name": f"host-{number}"}
            made = requests.post(
                f"{self.url}/resource_providers", json=body, headers=self.headers, timeout=10
            )
            assert made.status_code == 200, made.text

    def names(self) -> list[str]:
        url = f"{self.url}/resource_providers"
        listed = requests.get(url, headers=self.headers, timeout=10).json()
        return sorted(one["name"] for one in listed["resource_providers"])


@pytest.fixture(scope="module")
def cloud(folder: Path) -> Iterator[Cloud]:
    with own(folder / "cloud") as commands:
        yield Cloud(commands)


@pytest.fixture
def name(cloud: Cloud) -> Iterator[str]:
    name = f"{cloud.commands.name}-at"
    yield name
    # `reap --all` leaves what is attached to a cloud.
    if (cloud.commands.state / name).exists():
        cloud.commands.harness("down", "--name", name)


def test_swapped_in_it_serves_and_swapped_out_nothing_is_lost(cloud: Cloud, name: str) -> None:
    cloud.fill()
    before = cloud.names()
    listed = containers(cloud.commands.name)
    text = cloud.attach(name)
    assert "database   the same: " in text
    assert "attached to a cloud in the network" in cloud.commands.harness("status")
    assert "is attached already" in cloud.attach(name, code=70)
    assert "no stack" in cloud.commands.harness("token", "--name", name, code=70)
    assert "nothing was left behind" in cloud.commands.harness("reap")

    state = StackState(name, cloud.commands.state).directory
    lines = (state / "apache-in.conf").read_text()
    assert lines.strip() in text
    cloud.configure(MODULES + lines)
    assert cloud.served_by(name, is_attached=True)
    suites = [str(ROOT / "gabbits" / f"{suite}.yaml") for suite in SUITES]
    old = ("logs", "reference-placement")
    had = cloud.commands.harness(*old).count(SERVED)
    assert " failed" not in cloud.commands.pytest("--target", cloud.url, *suites)
    for number in ("1", "2", "3"):
        log = cloud.commands.harness("logs", "--name", name, "--replica", number)
        assert log.count(SERVED) > 10
    assert cloud.commands.harness(*old).count(SERVED) == had > 0

    cloud.request_id()
    assert "have answered requests in the last 5 s" in cloud.commands.harness(
        "detach", "--name", name, code=70
    )

    cloud.configure((state / "apache-out.conf").read_text())
    assert cloud.served_by(name, is_attached=False)
    time.sleep(RECENT_SECONDS)
    text = cloud.commands.harness("detach", "--name", name)
    # Users and projects of the suites' consumers stay, as they do with one placement.
    assert "0 rows removed" in text
    assert "database   while detaching: the same: " in text
    assert cloud.names() == before
    assert not state.exists()
    assert (containers(cloud.commands.name), containers(name)) == (listed, [])
    assert "Nothing named" in cloud.commands.harness("detach", "--name", name, code=70)


def edited(cloud: Cloud, path: Path, *changes: tuple[str, str]) -> str:
    text = cloud.conf.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return str(path)


@pytest.mark.long
def test_a_cloud_that_cannot_be_served_is_refused_and_left(
    cloud: Cloud, name: str, tmp_path: Path
) -> None:
    conf = tmp_path / "placement.conf"
    cases = [
        (("@mariadb/", "@nowhere/"), "cannot reach the cloud's database placement_reference_1"),
        (("//placement:", "//placement:not"), "Access denied"),
        (("/placement_reference_1", "/keystone"), "cannot reach the cloud's database keystone"),
        (("memcached:11211", "memcached:1"), "memcached at memcached:1 (keystone_authtoken/"),
        (("http://reference/", "http://reference/nothing/"), "no token for placement's user"),
        (("\npassword = ", "\npassword = not"), "no token for placement's user"),
    ]
    secrets = [
        line.partition("= ")[2]
        for line in cloud.conf.read_text().splitlines()
        if line.startswith("password")
    ]
    for change, problem in cases:
        given = edited(cloud, conf, change)
        text = cloud.attach(name, "--placement-conf", given, code=70)
        assert problem in text
        assert not any(secret in text for secret in secrets)
    # devstack's addresses are the host's, which a container's own network does not have.
    given = edited(cloud, conf, ("@mariadb/", "@127.0.0.1/"))
    assert "--network host" in cloud.attach(name, "--placement-conf", given, code=70)
    wrong = cloud.attach(name, "--network", "no-such-network", code=70)
    assert "docker network ls" in wrong
    assert not (cloud.commands.state / name).exists()


@pytest.mark.long
def test_a_schema_of_another_version_is_refused(cloud: Cloud, name: str) -> None:
    stack = cloud.commands.stack()
    with stack.database("placement_reference_1") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT version_num FROM alembic_version")
        (head,) = cursor.fetchone() or ("",)
        try:
            cursor.execute("UPDATE alembic_version SET version_num = 'b4ed3a175331'")
            text = cloud.attach(name, code=64)
            assert "has the schema b4ed3a175331" in text
            assert "attach migrates no database" in text
            cursor.execute("DELETE FROM alembic_version")
            assert "none of placement's" in cloud.attach(name, code=64)
        finally:
            cursor.execute("DELETE FROM alembic_version")
            cursor.execute("INSERT INTO alembic_version VALUES (%s)", [head])
        # Replicas write the standard traits that a database lacks when they start.
        cursor.execute("DELETE FROM traits WHERE name = 'HW_CPU_X86_AVX2'")
        assert "would add 1 standard trait" in cloud.attach(name, code=70)
        text = cloud.attach(name, "--add-traits", "--replicas", "1")
        assert "1 added" in text
    stack.close()
    cloud.commands.harness("detach", "--name", name)
