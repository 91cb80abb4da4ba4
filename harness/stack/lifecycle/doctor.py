"""Checks everything that a stack needs."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.config.plan import MAX_LANES
from harness.core import memory, ports
from harness.core.environment import withheld
from harness.core.errors import HarnessError, StackError
from harness.core.locks import FileLock
from harness.core.paths import state_root
from harness.engine import base_image, install
from harness.engine.docker import current
from harness.engine.values import DockerError
from harness.stack.images import listing
from harness.stack.images.catalogue import needed
from harness.stack.images.contents import contents_of
from harness.stack.lifecycle import engine_checks, taken_ports
from harness.stack.lifecycle.findings import Finding
from harness.stack.lifecycle.memory_needs import most_lanes
from harness.stack.lifecycle.taken_ports import PREFERRED_PORT
from harness.stack.lifecycle.teardown import claim_leftovers
from harness.stack.model.state import all_states
from harness.stack.model.unreadable import UnreadableError

GIB = 1024**3
# Replicas of a lane, in what is said of lanes.
REPLICAS = 3
# Disk space of a build; a run needs next to nothing.
DISK_GIB = 6
# MariaDB, keystone, Apache, memcached and three replicas have 0.7 GiB in memory.
MEMORY_GIB = 2
# Programs that start docker's commands: with a lock, or bound to the life of the harness.
TOOLS = ("flock", "setpriv")


def examine(hosts: Sequence[str] = ()) -> Iterator[Finding]:
    """Check one thing after the other, and these hosts of a stack.

    Without a usable engine, some checks are left out.
    """
    engine = _engine()
    yield engine
    if engine.ok:
        yield from engine_checks.checks(hosts)
        yield from (check() for check in (_base, _images))
    yield from (check() for check in (_disk, _memory, _lanes, _tools, _port, _state, _leftovers))
    yield from _kept()
    yield from _environment()


def _engine() -> Finding:
    problem: HarnessError | None = install.engine_problem()
    if problem:
        return Finding.of("container engine", problem)
    return Finding("container engine", current().command.version().out.strip())


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
    available = memory.available_gib()
    if available is None:
        return Finding("memory", "that of the engine's machine, which may be another one")
    result = f"{available:.1f} GiB available"
    if available >= MEMORY_GIB:
        return Finding("memory", result)
    return Finding("memory", result, f"Free some: a stack of three needs about {MEMORY_GIB} GiB.")


def _lanes() -> Finding:
    """How many workers with suites there can be: each has a lane of its own."""
    available = memory.available_gib()
    result = f"-n {MAX_LANES} at most"
    if available is not None:
        lanes = most_lanes(available, REPLICAS)
        result += f"; memory for {lanes} with {REPLICAS} replicas each"
    return Finding("lanes", result)


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
        return Finding.of("state directory", error)
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
        return Finding.of("leftovers", unreadable[0])
    if not names:
        return Finding("leftovers", "none")
    return Finding("leftovers", ", ".join(names), "Run `placement-harness reap`.")


def _kept() -> Iterator[Finding]:
    """Kept stacks that have stopped, and whose port another program has."""
    try:
        states = all_states()
    except HarnessError:
        # The check of leftovers names a directory that cannot be read.
        return
    for state in states:
        try:
            record = state.record()
            if record is not None and record.lifetime != "fresh" and record.ready:
                taken_ports.refuse_for_kept(state, record)
        except (UnreadableError, DockerError):
            # A record that cannot be read is among the leftovers, an engine that does not answer
            # is the first finding.
            continue
        except StackError as error:
            yield Finding.of(f"stack {state.name}", error)


def _environment() -> Iterator[Finding]:
    """The variables of the user's that docker, Compose, pip and uv do not get from here."""
    if names := withheld():
        yield Finding("environment", f"without influence here: {', '.join(names)}")
