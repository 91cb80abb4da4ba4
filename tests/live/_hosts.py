"""More engines on this machine, each as a host of its own: for the tests of several hosts.

A host is a network namespace with an engine in it. A bridge joins the hosts and this machine. The
bridge has a namespace of its own: in the main one, the rules of the main engine would drop what one
host sends to another. All of it lies below one directory, whose name tells which process made it.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.engine.docker import Engine
from harness.stack.model.state import STACK_LABEL
from tests.live._live import docker

# Not below pytest's own directory: the path of a socket has at most 107 characters.
ROOT = Path("/var/tmp")
PREFIX = "harness-hosts-"
TOOLS = ("dockerd", "ip", "nsenter", "unshare", "umount")
START_SECONDS, STOP_SECONDS = 30.0, 15.0

# Prints the ports of an address to which a connection can be made.
SCAN = """
import socket, sys
for port in range(1, 65536):
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((sys.argv[1], port)) == 0:
            print(port)
"""


def sh(*words: str) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout


@dataclass
class Host:
    """A network namespace with an engine, on which containers run as on another machine.

    ``address`` is where other hosts, and this machine, reach its published ports.
    """

    name: str
    address: str
    directory: Path
    # Process id of the engine.
    process: int = field(default=0, repr=False)

    @property
    def endpoint(self) -> str:
        """The engine's address, as DOCKER_HOST has it."""
        return f"unix://{self.directory}/docker.sock"

    @property
    def option(self) -> str:
        """The value of --host for this host."""
        return f"{self.endpoint}={self.address}"

    @property
    def engine(self) -> Engine:
        return Engine(host=self.endpoint)

    def docker(self, *words: str) -> str:
        return docker("--host", self.endpoint, *words)

    def begin(self, storage: str) -> None:
        """Start the engine."""
        settings = {
            "data-root": f"{self.directory}/data",
            "exec-root": f"{self.directory}/exec",
            "pidfile": f"{self.directory}/pid",
            # No port: every user and container of this machine would reach it, and be root by it.
            "hosts": [self.endpoint],
            "storage-driver": storage,
            "containerd-namespace": self.name,
            "containerd-plugins-namespace": f"{self.name}-plugins",
            # The key is the engine's id. Two machines have two.
            "deprecated-key-path": f"{self.directory}/key.json",
        }
        (self.directory / "daemon.json").write_text(json.dumps(settings))
        # `ip netns exec` would hide the cgroups.
        inside = ("nsenter", f"--net=/run/netns/{self.name}", "unshare", "--uts")
        script = f"hostname {self.name}; exec dockerd --config-file {self.directory}/daemon.json"
        with (self.directory / "log").open("wb") as log:
            started = subprocess.Popen(
                [*inside, "sh", "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.process = started.pid
        end = time.monotonic() + START_SECONDS
        while not self.engine.command.version().ok:
            log_text = (self.directory / "log").read_text()
            assert started.poll() is None, f"the engine of {self.name} ended:\n{log_text[-2000:]}"
            assert time.monotonic() < end, f"no answer of {self.name}:\n{log_text[-2000:]}"
            time.sleep(0.05)

    def die(self) -> None:
        """Kill the engine. Its containers go on, but nothing is heard of them."""
        os.kill(self.process, signal.SIGKILL)

    def open_ports(self, seen_from: "Host") -> set[int]:
        """TCP ports of the address on which something listens, by trying all of them."""
        inside = ("nsenter", f"--net=/run/netns/{seen_from.name}", sys.executable, "-c", SCAN)
        return {int(port) for port in sh(*inside, self.address).split()}

    def left(self) -> list[str]:
        """Whatever the engine has of stacks."""
        mark = ("--filter", f"label={STACK_LABEL}")
        return [
            *self.docker("ps", "--all", *mark, "--format", "container {{.Names}}").splitlines(),
            *self.docker("network", "ls", *mark, "--format", "network {{.Name}}").splitlines(),
            *self.docker("volume", "ls", *mark, "--format", "volume {{.Name}}").splitlines(),
        ]

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Let the engine not answer meanwhile: its process is stopped, its socket is there."""
        os.kill(self.process, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process, signal.SIGCONT)


@contextlib.contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """This many hosts, which are gone after the block, whatever happens in it."""
    _require()
    clear_leftovers()
    token = f"{random.randrange(1 << 24):06x}"
    directory = ROOT / f"{PREFIX}{os.getpid()}-{token}"
    directory.mkdir(mode=0o700)
    try:
        yield _begun(directory, token, count)
    finally:
        clear(directory)


def _begun(directory: Path, token: str, count: int) -> list[Host]:
    storage = docker("info", "--format", "{{.Driver}}").strip()
    network, switch = _free_network(), f"ph{token}-s"
    made = []
    sh("ip", "netns", "add", switch)
    sh("ip", "-n", switch, "link", "add", "bridge", "type", "bridge")
    sh("ip", "-n", switch, "link", "set", "bridge", "up")
    _join(switch, f"ph{token}", "main", f"{network}.254", ())
    for number in range(1, count + 1):
        name = f"ph{token}-{number}"
        host = Host(name, f"{network}.{number}", directory / str(number))
        host.directory.mkdir()
        sh("ip", "netns", "add", name)
        sh("ip", "-n", name, "link", "set", "lo", "up")
        _join(switch, "eth0", f"host{number}", host.address, ("-n", name))
        host.begin(storage)
        made.append(host)
    return made


def _join(switch: str, link: str, port: str, address: str, where: Sequence[str]) -> None:
    """Join a link of a namespace, or of this machine, to the bridge."""
    words = ("type", "veth", "peer", "name", port, "netns", switch)
    sh("ip", *where, "link", "add", link, *words)
    sh("ip", "-n", switch, "link", "set", port, "master", "bridge", "up")
    sh("ip", *where, "address", "add", f"{address}/24", "dev", link)
    sh("ip", *where, "link", "set", link, "up")


def _free_network() -> str:
    """The first three numbers of a network that this machine does not know."""
    known = sh("ip", "-4", "route")
    numbers = [number for number in range(1, 255) if f"10.77.{number}." not in known]
    return f"10.77.{random.choice(numbers)}"


def _require() -> None:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"hosts need root and {', '.join(missing or TOOLS)}")


# Clean-up


def clear_leftovers() -> None:
    """Clear what test processes that were killed have left."""
    for directory in ROOT.glob(f"{PREFIX}*"):
        process = directory.name.removeprefix(PREFIX).partition("-")[0]
        if not Path(f"/proc/{process}").exists():
            clear(directory)


def clear(directory: Path) -> None:
    """Remove hosts: their containers, engines, mounts, namespaces and files."""
    for socket in directory.glob("*/docker.sock"):
        with contextlib.suppress(subprocess.SubprocessError):
            ids = docker("--host", f"unix://{socket}", "ps", "-aq", timeout=10).split()
            if ids:
                docker("--host", f"unix://{socket}", "rm", "-fv", *ids, timeout=30)
    for number in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + STOP_SECONDS
        for process in _processes(directory):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
                os.kill(process, number)
        while _processes(directory) and time.monotonic() < end:
            time.sleep(0.05)
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        if (place := line.split()[1]).startswith(f"{directory}/"):
            sh("umount", "--lazy", place)
    token = directory.name.rpartition("-")[2]
    for name in sh("ip", "netns", "list").split():
        if name.startswith(f"ph{token}-"):
            sh("ip", "netns", "delete", name)
    # The link of this machine goes with the bridge's namespace, a moment later.
    subprocess.run(["ip", "link", "delete", f"ph{token}"], check=False, capture_output=True)
    shutil.rmtree(directory)


def _processes(directory: Path) -> list[int]:
    """Processes of the engines below a directory, and all that they have started."""
    parents, ours = {}, set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if state == "Z":
                continue
            number = int(stat.parent.name)
            parents[number] = int(parent)
            if f"{directory}/".encode() in (stat.parent / "cmdline").read_bytes():
                ours.add(number)
    while more := {child for child, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sorted(ours - {os.getpid()})
