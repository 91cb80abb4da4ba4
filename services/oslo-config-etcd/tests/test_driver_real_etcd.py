"""The driver and a real etcd: services/etcd's image, in a container of the test's own."""

import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from _service import Service

pytestmark = pytest.mark.engine

IMAGE = os.environ.get("ETCD_IMAGE", "placement-harness/etcd:latest")
CONFINED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true"]
ROOT, READER = "root-password", "reader-password"
# By itself a container ends, and is removed, after so many seconds: whatever becomes of the tests.
LONGEST = "900"
# The longest that a busy machine takes to start etcd. Seconds.
PATIENCE = 60


def docker(*words: str, text: str = "", code: int | None = 0) -> str:
    ended = subprocess.run(
        ["docker", *words], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert code is None or ended.returncode == code, ended.stderr
    return ended.stdout.strip()


TLS = {"cacert": "ca", "cert": "client", "key": "client-key"}


@dataclass
class Etcd:
    container: str
    scheme: str

    @property
    def url(self) -> str:
        return f"{self.scheme}://{docker('port', self.container, '2379').split()[0]}"

    def ctl(self, *words: str, text: str = "", code: int | None = 0) -> str:
        """Run etcdctl as root, with the password in the environment of this command alone."""
        more = ["-e", "ETCDCTL_USER=root", "-e", f"ETCDCTL_PASSWORD={ROOT}"]
        at = [f"--endpoints={self.scheme}://localhost:2379"]
        if self.scheme == "https":
            at += [f"--{which}=/tls/{file}.pem" for which, file in TLS.items()]
        return docker(
            "exec", "-i", *more, self.container, "etcdctl", *at, *words, text=text, code=code
        )

    def wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while not self.ctl("endpoint", "status", code=None):
            assert time.monotonic() < end, docker("logs", self.container)
            time.sleep(0.05)


Start = Callable[..., Etcd]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    if not shutil.which("docker"):
        pytest.skip("no container engine (docker)")
    assert docker("image", "ls", "--quiet", IMAGE), (
        f"no image {IMAGE}: placement-harness setup --config-source etcd, or ETCD_IMAGE"
    )
    names, volumes = [], set()

    def run(*words: str, scheme: str = "http", volume: str = "") -> Etcd:
        name = f"etcd-driver-{uuid.uuid4().hex[:8]}"
        names.append(name)
        if volume:
            volumes.add(volume)
            words = (*words, "--volume", f"{volume}:/var/lib/etcd")
        docker(
            *("run", "--detach", "--rm", "--entrypoint", "timeout", "--name", name, *CONFINED),
            *("--publish", "127.0.0.1::2379"),
            *("--tmpfs", "/run:mode=1777", "--tmpfs", "/tmp:mode=1777"),
            *("--env", f"ETCD_ROOT_PASSWORD={ROOT}", "--env", f"ETCD_READER_PASSWORD={READER}"),
            *words,
            *(IMAGE, LONGEST, "/usr/local/bin/start"),
        )
        return Etcd(name, scheme)

    yield run
    for name in names:
        docker("rm", "--force", "--volumes", name)
    for volume in volumes:
        docker("volume", "rm", "--force", volume)


@pytest.fixture(scope="module")
def etcd(start: Start) -> Etcd:
    return start()


@pytest.fixture
def reader(etcd: Etcd) -> dict[str, object]:
    """The source's options; etcd has a key, and maybe those of the tests before."""
    etcd.wait()
    etcd.ctl("put", "/placement/group/text", "x")
    return {
        "endpoints": etcd.url,
        "prefix": "/placement",
        "user": "placement",
        "password": READER,
        "wait": 10,
    }


def test_values_arrive_as_they_were_written(
    etcd: Etcd, reader: dict[str, object], service: Service
) -> None:
    etcd.ctl("put", "/placement/group/text", text="Grüße 🙂\nsecond line\n")
    etcd.ctl("put", "/placement/group/number", "7")
    etcd.ctl("put", "/placement/group/lines", text="a\nb\n")
    etcd.ctl("put", "/placement2/group/share", "0.5")
    group = service(**reader).group
    assert (group.text, group.number, group.lines) == ("Grüße 🙂\nsecond line", 7, ["a", "b"])
    assert group.share is None
    for key in ("number", "lines"):
        etcd.ctl("del", f"/placement/group/{key}")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "wrong"}, "refused the user placement: etcdserver: authentication failed"),
        ({"user": "nobody"}, "refused the user nobody: etcdserver: authentication failed"),
        ({"user": None, "password": None}, "refused nobody"),
        ({"prefix": "/other"}, "does not let the user placement read /other/: etcdserver: perm"),
        ({"prefix": "/placement/no", "wait": 0}, "has no key below /placement/no/."),
    ],
)
def test_refusals(
    reader: dict[str, object],
    service: Service,
    capfd: pytest.CaptureFixture[str],
    changed: dict[str, object],
    said: str,
) -> None:
    with pytest.raises(SystemExit):
        service(**{**reader, **changed})
    assert said in capfd.readouterr().err


def test_the_reader_writes_nothing(etcd: Etcd, reader: dict[str, object]) -> None:
    more = ["-e", "ETCDCTL_USER=placement", "-e", f"ETCDCTL_PASSWORD={READER}"]
    docker("exec", *more, etcd.container, "etcdctl", "put", "/placement/a/b", "c", code=1)


def test_an_etcd_that_is_just_starting_is_waited_for(start: Start, service: Service) -> None:
    etcd = start()
    source = {"endpoints": etcd.url, "prefix": "/placement", "user": "placement"}

    def write() -> None:
        etcd.wait()
        etcd.ctl("put", "/placement/group/text", "late")

    threading.Thread(target=write, daemon=True).start()
    assert service(**source, password=READER, wait=PATIENCE).group.text == "late"


def test_what_was_written_outlives_a_kill(start: Start, service: Service) -> None:
    volume = f"etcd-driver-{uuid.uuid4().hex[:8]}"
    etcd = start(volume=volume)
    etcd.wait()
    etcd.ctl("put", "/placement/group/text", "kept")
    # The container has ended when this command returns. Another one gets its data, as a container
    # with --rm that is restarted may be removed in between.
    docker("kill", "--signal", "KILL", etcd.container)
    again = start(volume=volume)
    source = {"endpoints": again.url, "prefix": "/placement", "user": "placement"}
    assert service(**source, password=READER, wait=PATIENCE).group.text == "kept"


def test_tls(
    start: Start,
    tls: Path,
    other_tls: Path,
    service: Service,
    capfd: pytest.CaptureFixture[str],
) -> None:
    etcd = start("--volume", f"{tls}:/tls:ro", scheme="https")
    etcd.wait()
    etcd.ctl("put", "/placement/group/text", "safe")
    source = {
        "endpoints": etcd.url,
        "prefix": "/placement",
        "user": "placement",
        "password": READER,
        "wait": 10,
    }
    assert service(**source, ca_file=tls / "ca.pem").group.text == "safe"
    with pytest.raises(SystemExit):
        service(**source, ca_file=other_tls / "ca.pem")
    assert "certificate verify failed" in capfd.readouterr().err


def test_tls_with_a_certificate_of_the_clients(
    start: Start, tls: Path, service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    asks = ("ETCD_CLIENT_CERT_AUTH=true", "ETCD_TRUSTED_CA_FILE=/tls/ca.pem")
    environment = [word for one in asks for word in ("--env", one)]
    etcd = start("--volume", f"{tls}:/tls:ro", *environment, scheme="https")
    etcd.wait()
    etcd.ctl("put", "/placement/group/text", "safe")
    source = {
        "endpoints": etcd.url,
        "prefix": "/placement",
        "user": "placement",
        "password": READER,
        "ca_file": tls / "ca.pem",
        "wait": 10,
    }
    own = {"cert_file": tls / "client.pem", "key_file": tls / "client-key.pem"}
    assert service(**source, **own).group.text == "safe"
    with pytest.raises(SystemExit):
        service(**{**source, "wait": 0})
    assert "certificate required" in capfd.readouterr().err


PLACEMENT = """
import placement.wsgi.api
print("it serves")
"""


def test_placement_itself_starts_with_nothing_else_and_not_without(
    etcd: Etcd, reader: dict[str, object], installed: str
) -> None:
    pytest.importorskip("placement")
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "PYTHONPATH": os.pathsep.join([installed, *sys.path]),
        "OS_DEFAULT__CONFIG_SOURCE": "etcd",
        "OS_ETCD__DRIVER": "etcd",
        "OS_ETCD__ENDPOINTS": etcd.url,
        "OS_ETCD__PREFIX": "/placement",
        "OS_ETCD__USER": "placement",
        "OS_ETCD__PASSWORD": READER,
    }

    def run() -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-c", PLACEMENT]
        return subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    etcd.ctl("put", "/placement/placement_database/connection", "sqlite://")
    etcd.ctl("put", "/placement/placement_database/sync_on_startup", "true")
    etcd.ctl("put", "/placement/api/auth_strategy", "noauth2")
    ended = run()
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "it serves"
    etcd.ctl("put", "/placement/placement_database/max_retries", "many")
    ended = run()
    etcd.ctl("del", "--prefix", "/placement/placement_database/")
    assert ended.returncode == 22
    assert ended.stderr.splitlines()[-1] == (
        "ERROR: configuration source etcd: the value of /placement/placement_database/max_retries "
        "is not an integer: invalid literal for int() with base 10: 'many'. "
        "Correct it: etcdctl put /placement/placement_database/max_retries."
    )
