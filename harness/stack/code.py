"""Lets running replicas take up the code of a checkout, as it is now."""

import contextlib
import filecmp
import hashlib
import os
import shutil
import time
from collections.abc import Collection
from pathlib import Path

from harness.errors import StackError
from harness.placements.model import Placement
from harness.placements.source import package_files
from harness.record import Installed, Record
from harness.results import Progress
from harness.stack import lanes, logs
from harness.stack.commands import run
from harness.stack.images import content_of
from harness.stack.stack import READY_SECONDS, Stack
from harness.state import StackState
from harness.timing import Deadline

PACKAGE = "placement"
# What uwsgi says when a worker has loaded the application.
LOADED = "WSGI app 0"
SIGNAL_SECONDS = 10.0
# When uwsgi is told to look whether its worker has ended (services/python/uwsgi.ini). Seconds.
WAKE_AFTER = (0.2, 0.2, 0.3)
# Asking docker takes a processor that the replicas have better use for.
ASK_SECONDS = 0.2


def sync(package: Path, folder: Path) -> list[str]:
    """Make a folder's package the same as a checkout's, and name the files that were changed.

    A file is replaced as a whole: a replica that starts meanwhile reads the old or the new one.
    """
    wanted = {path.relative_to(package.parent): path for path in package_files(package)}
    changed = []
    for name, path in wanted.items():
        target = folder / name
        with contextlib.suppress(FileNotFoundError):
            if filecmp.cmp(path, target, shallow=False):
                continue
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        shutil.copyfile(path, partial)
        partial.chmod(0o644)
        partial.replace(target)
        changed.append(str(name))
    for path in package_files(folder / PACKAGE):
        if path.relative_to(folder) not in wanted:
            path.unlink()
            changed.append(str(path.relative_to(folder)))
    _let_others_read(folder)
    return sorted(changed)


def take_up(record: Record, progress: Progress) -> list[Installed]:
    """Copy what has changed in the checkouts of a stack; give the placements that have changed."""
    found = []
    for placement in record.placements:
        if not placement.code or placement in found:
            continue
        changed = sync(Path(placement.spec) / PACKAGE, Path(placement.code))
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            progress(f"{changed[0]}{more} changed: loading {placement.spec} anew")
            found.append(placement)
    return found


def reload(stack: Stack, placements: Collection[Installed]) -> None:
    """Let the replicas that run these load their code anew, while they go on listening.

    Raises StackError, with the replica's last words, when the code cannot be imported.
    """
    replicas = [
        (lane, number)
        for lane, numbers in lanes.replicas(stack.record).items()
        for number in numbers
        if stack.record.placement(number) in placements
    ]
    if not replicas:
        return
    names = [f"{stack.name}-{lanes.service(lane, number)}" for lane, number in replicas]
    stack.watch()
    since = time.time()
    run("docker", "kill", "--signal", "HUP", *names, seconds=SIGNAL_SECONDS)
    for pause in WAKE_AFTER:
        time.sleep(pause)
        run("docker", "kill", "--signal", "URG", *names, seconds=SIGNAL_SECONDS)
    for _ in Deadline.after(READY_SECONDS).every(ASK_SECONDS):
        stack.check("while it loaded the changed code")
        while names and logs.lines_of(names[0], since=since, containing=LOADED):
            del names[0]
        if not names:
            return
    raise StackError(
        f"{names[0]} has not loaded the changed code within {READY_SECONDS:.0f} s.",
        "See what it says: placement-harness logs placement.",
        service=lanes.SERVICE,
    )


def installed(state: StackState, placement: Placement) -> Installed:
    """A placement as replicas of this stack run it; a checkout's code is copied for them."""
    content = content_of(placement)
    if placement.code is None:
        return Installed(placement.spec, placement.version, content)
    tree = placement.tree
    key = hashlib.sha256(str(tree).encode()).hexdigest()[:8]
    folder = state.directory / f"code-{key}"
    sync(tree / PACKAGE, folder)
    return Installed(str(tree), placement.version, content, str(folder))


def _let_others_read(folder: Path) -> None:
    """Replicas run as another user; nothing in the code is secret."""
    for directory, _, _ in os.walk(folder):
        os.chmod(directory, 0o755)  # noqa: S103 (for others to read)
