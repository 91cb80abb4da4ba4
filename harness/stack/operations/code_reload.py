"""Lets running replicas take up the code of a checkout, as it is now."""

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

PACKAGE = "placement"
# What uwsgi says when a worker has loaded the application.
LOADED = "WSGI app 0"
SIGNAL_SECONDS = 10.0
STOP_SECONDS = 30.0
# Time that a replica gets to end by itself. Seconds.
STOP_PATIENCE = 5
# When uwsgi is told to look whether its worker has ended (services/python/uwsgi.ini). Seconds.
WAKE_AFTER = (0.2, 0.2, 0.3)
# Asking docker takes a processor that the replicas have better use for.
ASK_SECONDS = 0.2


def sync(package: Path, folder: Path) -> list[str]:
    """Make a folder's package the same as a checkout's, and name the files that were changed.

    A file is replaced as a whole: a replica that starts meanwhile reads the old or the new one.
    """
    wanted = {path.relative_to(package.parent): path for path in package_files(package)}
    changed = [name for name, path in wanted.items() if not _same(path, folder / name)]
    there = [path.relative_to(folder) for path in package_files(folder / PACKAGE)]
    gone = [name for name in there if name not in wanted]
    if changed or gone:
        # The mark comes before the first copy: this process may be killed before replicas load it.
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
    """Copy what has changed in the checkouts of a stack; give the placements that are to be loaded.

    Those are also what was copied before, and not loaded by all its replicas.
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
    """Whether code was copied that not all replicas have loaded since."""
    return bool(placement.code) and _unloaded(Path(placement.code)).exists()


def loaded(placements: Collection[Installed]) -> None:
    """Remember that all replicas have the code that was copied."""
    for placement in placements:
        if placement.code:
            _unloaded(Path(placement.code)).unlink(missing_ok=True)


def stop(stack: Stack, placements: Collection[Installed]) -> None:
    """Stop the replicas that run these: when they are started they load the code anew."""
    for container in _containers(stack, placements):
        # A replica that has stopped already is no hindrance.
        with contextlib.suppress(DockerError):
            container.engine.stop([container.id], STOP_PATIENCE, STOP_SECONDS)


def reload(stack: Stack, placements: Collection[Installed]) -> None:
    """Let the replicas that run these load their code anew, while they go on listening.

    Raises StackError, with the replica's last words, when the code cannot be imported.
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
        "See what it says: placement-harness logs placement.",
        service=lanes.SERVICE,
    )


def installed(state: StackState, placement: Placement, content: str) -> Installed:
    """A placement as replicas of this stack run it, in the image of this content.

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
    """How it is called wherever that is said: a path is a whole one."""
    return str(placement.package or placement.spec)


def _containers(stack: Stack, placements: Collection[Installed]) -> Mapping[Container, int]:
    """The containers of the replicas that run these, with the number of replicas in each."""
    replicas = Counter(
        replica.number
        for replica in lanes.replicas(stack.record)
        if stack.record.placement(replica.number) in placements
    )
    if not replicas:
        return {}
    places = containers.of_replicas(stack.state, map(ReplicaId.first, replicas))
    return dict(zip(places, replicas.values(), strict=True))


def _signal(waiting: Collection[Container], name: str) -> None:
    for container in waiting:
        # The watch reports a container that has died meanwhile.
        with contextlib.suppress(DockerError):
            container.engine.signal([container.id], name, SIGNAL_SECONDS)


def _loads(container: Container, since: float) -> int:
    """How many replicas of a container have loaded their code since then."""
    return len(replica_logs.lines_of(container, since=since, containing=LOADED))


def _unloaded(folder: Path) -> Path:
    """What is there as long as replicas may run other code than is in the folder."""
    return folder.with_name(f"{folder.name}.unloaded")


def _same(source: Path, copy: Path) -> bool:
    try:
        return filecmp.cmp(source, copy, shallow=False)
    except FileNotFoundError:
        return False


def _let_others_read(folder: Path) -> None:
    """Replicas run as another user; nothing in the code is secret."""
    for directory, _, _ in os.walk(folder):
        os.chmod(directory, 0o755)  # noqa: S103 (for others to read)
