"""Copies the changed code of a checkout into a stack, and lets running replicas load it."""

import contextlib
import dataclasses
import filecmp
import hashlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.core.measurements import Progress
from harness.engine.values import Container, DockerError
from harness.placements.checkout import package_files
from harness.placements.model import Placement
from harness.stack.clients import replica_logs
from harness.stack.handle import READY_SECONDS, Stack
from harness.stack.model import containers, lanes
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.record import Installed, Record
from harness.stack.model.state import StackState
from harness.stack.settings import reference

PACKAGE = "placement"
# uwsgi logs this text when a worker has loaded the application.
LOADED = "WSGI app 0"
SIGNAL_SECONDS = 10.0
STOP_SECONDS = 30.0
# Time until a replica that does not end by itself is killed. Seconds.
STOP_PATIENCE = 5
# Pauses before the signals that make uwsgi notice the end of its worker
# (services/python/uwsgi.ini). Seconds. From an edit to the verdict of six tests, a run takes 4.5 s
# with the signals, and 5.6 s without (medians of 11 by turns, 3 replicas on a busy machine).
WAKE_AFTER = (0.2, 0.2, 0.3)
# Interval of questions to docker, which take processor time from the replicas. Seconds.
ASK_SECONDS = 0.2


def sync(package: Path, folder: Path) -> list[str]:
    """Make a folder's package the same as a checkout's, and return the names of changed files.

    A file is replaced as a whole: a replica that starts meanwhile reads the old or the new one.
    """
    wanted = {path.relative_to(package.parent): path for path in package_files(package)}
    changed = [name for name, path in wanted.items() if not _same(path, folder / name)]
    there = [path.relative_to(folder) for path in package_files(folder / PACKAGE)]
    gone = [name for name in there if name not in wanted]
    if changed or gone:
        # The mark comes before the first copy: this process may be killed before replicas have
        # loaded the code.
        _unloaded(folder).touch()
    for name in changed:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        shutil.copyfile(wanted[name], partial)
        partial.chmod(0o644)
        partial.replace(target)
    for name in gone:
        (folder / name).unlink()
    _let_others_read(folder)
    return sorted(map(str, changed + gone))


def take_up(record: Record, progress: Progress) -> list[Installed]:
    """Copy changed code of a stack's checkouts, and return the placements that have to be loaded.

    Among them are placements whose code was copied earlier, and not loaded by all replicas.
    """
    specs = {placed.code: placed.spec for placed in record.placements if placed.code}
    for folder, spec in specs.items():
        broken_off = _unloaded(Path(folder)).exists()
        changed = sync(Path(spec) / PACKAGE, Path(folder))
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            progress(f"{changed[0]}{more} changed: loading {spec} anew")
        elif broken_off:
            progress(f"loading {spec} anew, which was broken off")
    return [placed for placed in dict.fromkeys(record.placements) if is_unloaded(placed)]


def is_unloaded(placement: Installed) -> bool:
    """Whether replicas have yet to load code that was copied."""
    return bool(placement.code) and _unloaded(Path(placement.code)).exists()


def loaded(placements: Collection[Installed]) -> None:
    """Remember that all replicas have loaded the copied code of these placements."""
    for placement in placements:
        if placement.code:
            _unloaded(Path(placement.code)).unlink(missing_ok=True)


def stop(stack: Stack, placements: Collection[Installed]) -> None:
    """Stop the replicas that run these placements; they load the code when they are started."""
    for container in _containers(stack, placements):
        # docker may fail because the replica has stopped already.
        with contextlib.suppress(DockerError):
            container.engine.stop([container.id], STOP_PATIENCE, STOP_SECONDS)


def reload(stack: Stack, placements: Collection[Installed]) -> None:
    """Let the replicas that run these placements load the code, while they go on listening.

    Raises StackError, with the replica's last lines, if the code cannot be imported.
    """
    processes = _containers(stack, placements)
    if not processes:
        return
    waiting = list(processes)
    stack.watch()
    since = time.time()
    _signal(waiting, "HUP")
    for pause in WAKE_AFTER:
        time.sleep(pause)
        _signal(waiting, "URG")
    for _ in Deadline.after(READY_SECONDS).every(ASK_SECONDS):
        stack.check("while it loaded the changed code")
        while waiting and _loads(waiting[0], since) == processes[waiting[0]]:
            del waiting[0]
        if not waiting:
            loaded(placements)
            return
    raise StackError(
        f"{waiting[0].name} has not loaded the changed code within {READY_SECONDS:.0f} s.",
        "See its log: placement-harness logs placement.",
        service=lanes.SERVICE,
    )


def installed(state: StackState, placement: Placement, content: str) -> Installed:
    """The record of a placement in this stack; ``content`` is the digest of its image.

    The code of a checkout is copied for the replicas.
    """
    limits = str(placement.constraints or "")
    image = Installed(name_of(placement), placement.version, content, constraints=limits)
    if placement.kind != "checkout":
        return image
    tree = placement.tree
    key = hashlib.sha256(str(tree).encode()).hexdigest()[:8]
    folder = state.directory / f"code-{key}"
    sync(tree / PACKAGE, folder)
    return dataclasses.replace(image, code=str(folder))


def name_of(placement: Placement) -> str:
    """Name of a placement in messages and records: its absolute path, or its SPEC."""
    return str(placement.package or placement.spec)


def _containers(stack: Stack, placements: Collection[Installed]) -> Mapping[Container, int]:
    """Containers that run these placements -> number of processes in each that load their code."""
    replicas = Counter(
        replica.number
        for replica in lanes.replicas(stack.record)
        if stack.record.placement(replica.number) in placements
    )
    places = containers.of_replicas(stack.state, map(ReplicaId.first, replicas))
    processes = dict(zip(places, replicas.values(), strict=True))
    if stack.record.reference and stack.record.placement(1) in placements:
        place = containers.of_service(stack.state, reference.PLACEMENT)
        processes[place] = reference.PROCESSES * len(stack.record.reference)
    return processes


def _signal(waiting: Collection[Container], name: str) -> None:
    for container in waiting:
        # The watch reports a container that has died meanwhile.
        with contextlib.suppress(DockerError):
            container.engine.signal([container.id], name, SIGNAL_SECONDS)


def _loads(container: Container, since: float) -> int:
    """Number of processes in a container that have loaded their code since then."""
    return len(replica_logs.lines_of(container, since=since, containing=LOADED))


def _unloaded(folder: Path) -> Path:
    """Path of the file that exists as long as replicas may run other code than the folder's."""
    return folder.with_name(f"{folder.name}.unloaded")


def _same(source: Path, copy: Path) -> bool:
    try:
        return filecmp.cmp(source, copy, shallow=False)
    except FileNotFoundError:
        return False


def _let_others_read(folder: Path) -> None:
    """Let other users read the folder: replicas run as another user. The code is not secret."""
    for directory, _, _ in os.walk(folder):
        os.chmod(directory, 0o755)  # noqa: S103 (for others to read)
