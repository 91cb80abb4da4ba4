"""Checks everything that a stack needs."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core import ports
from harness.core.errors import HarnessError
from harness.core.locks import FileLock
from harness.core.paths import state_root
from harness.engine import base_image, install
from harness.engine.docker import current
from harness.engine.values import DockerError
from harness.stack.images import listing
from harness.stack.images.catalogue import needed
from harness.stack.images.contents import contents_of
from harness.stack.lifecycle.loopback import elsewhere
from harness.stack.lifecycle.taken_ports import PREFERRED_PORT
from harness.stack.lifecycle.teardown import claim_leftovers

GIB = 1024**3
# Disk space of a build; a run needs next to nothing.
DISK_GIB = 6
# MariaDB, keystone, Apache, memcached and three replicas have 0.7 GiB in memory.
MEMORY_GIB = 2
# Programs that start docker's commands: with a lock, or bound to the life of the harness.
TOOLS = ("flock", "setpriv")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. ``remedy`` is empty when nothing has to be done."""

    what: str
    result: str
    remedy: str = ""

    @property
    def ok(self) -> bool:
        return not self.remedy


def examine() -> Iterator[Finding]:
    """Check one thing after the other; without a usable engine, some checks are left out."""
    engine = _engine()
    yield engine
    if engine.ok:
        yield from _place()
        yield from (check() for check in (_compose, _base, _images))
    yield from (check() for check in (_disk, _memory, _tools, _port, _state, _leftovers))


def _engine() -> Finding:
    problem: HarnessError | None = install.engine_problem()
    if problem:
        return Finding("container engine", problem.problem, problem.remedy)
    return Finding("container engine", current().command.version().out.strip())


def _place() -> Iterator[Finding]:
    """A finding for an engine on another machine."""
    address = current().command.address().out.strip()
    if elsewhere(address):
        yield Finding(
            "engine's address",
            f"{address}: stacks listen on that machine's loopback interface alone",
            "Run the harness on that machine; in a container there, with --network host.",
        )


def _compose() -> Finding:
    version = install.compose_version()
    problem = install.compose_problem(version)
    if problem is None:
        return Finding("Compose v2", str(version))
    remedy = "Run `placement-harness setup`: it installs one."
    if not install.can_install_compose():
        remedy = install.COMPOSE_BY_HAND
    return Finding("Compose v2", problem, remedy)


def _base() -> Finding:
    if base_image.has_base():
        return Finding("base image", base_image.base_image())
    return Finding(
        "base image", "missing", "Run `placement-harness setup`: it pulls or builds Debian trixie."
    )


def _images() -> Finding:
    builds = contents_of(needed("mariadb", "env", beside=True)).builds
    missing = [name for name, _ in listing.missing(builds)]
    if not missing:
        return Finding("images", f"{len(builds)}, up to date")
    return Finding(
        "images",
        f"missing or out of date: {', '.join(sorted(missing))}",
        "Run `placement-harness setup`; a run builds them too.",
    )


def _disk() -> Finding:
    try:
        place = current().root
    except DockerError:
        place = None
    path = place if place and place.is_dir() else Path("/")
    free = shutil.disk_usage(path).free / GIB
    result = f"{free:.0f} GiB free in {path}"
    if free >= DISK_GIB:
        return Finding("disk", result)
    return Finding(
        "disk", result, f"Make room: the build needs {DISK_GIB} GiB. See `docker system df`."
    )


def _memory() -> Finding:
    with open("/proc/meminfo") as lines:
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    available = sizes["MemAvailable"] / GIB
    result = f"{available:.1f} GiB available"
    if available >= MEMORY_GIB:
        return Finding("memory", result)
    return Finding("memory", result, f"Free some: a stack of three needs about {MEMORY_GIB} GiB.")


def _tools() -> Finding:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not missing:
        return Finding("util-linux", ", ".join(TOOLS))
    return Finding(
        "util-linux",
        f"missing: {', '.join(missing)}",
        "Install it (on Debian and Ubuntu: apt-get install util-linux): otherwise docker's "
        "commands outlive a killed run, and the next run does not wait for them.",
    )


def _port() -> Finding:
    what = f"port {PREFERRED_PORT}"
    if ports.is_free(PREFERRED_PORT):
        return Finding(what, "free")
    return Finding(what, "in use: a stack that is kept gets another one")


def _state() -> Finding:
    root = state_root()
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = root / ".doctor"
        with FileLock(probe) as lock:
            lock.take()
            probe.unlink(missing_ok=True)
    except HarnessError as error:
        return Finding("state directory", error.problem, error.remedy)
    except OSError as error:
        return Finding(
            "state directory",
            f"{root}: {error.strerror}",
            "Make it writable, or name another in PLACEMENT_HARNESS_STATE.",
        )
    return Finding("state directory", str(root))


def _leftovers() -> Finding:
    names = []
    unreadable: list[HarnessError] = []
    try:
        for state in claim_leftovers(unreadable.append):
            names.append(state.name)
            state.release()
    except HarnessError as error:
        unreadable.append(error)
    if unreadable:
        return Finding("leftovers", unreadable[0].problem, unreadable[0].remedy)
    if not names:
        return Finding("leftovers", "none")
    return Finding("leftovers", ", ".join(names), "Run `placement-harness reap`.")
