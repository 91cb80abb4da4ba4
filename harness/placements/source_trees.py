"""Fetches placement's source tree, and makes an environment to run its fixtures in."""

import contextlib
import hashlib
import os
import shutil
import sys
import uuid
from importlib import metadata
from pathlib import Path

from harness.core.errors import UnreachableError
from harness.core.measurements import Progress
from harness.placements import package_index
from harness.placements.checkout import described
from harness.placements.lockfile import date_of_checkout, of_file, until
from harness.placements.model import NAME

# Packages that placement's own fixtures import, besides placement.
FIXTURES_NEED = ("gabbi", "oslotest", "wsgi-intercept")
KEPT = 8


def of_release(version: str, progress: Progress) -> Path:
    """Directory that holds a release's package: the installed one, or one that is fetched once.

    Raises UnreachableError without an index.
    """
    installed = _installed(version)
    if installed:
        return installed
    return _install(f"{NAME}=={version}", version, [], progress)


def of_file_at(path: Path, version: str, progress: Progress) -> Path:
    """Directory that holds the package of a wheel or an sdist, which is unpacked once."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    options = until(date_of_checkout(version))
    return _install(str(path), f"{version}-{digest}", options, progress)


def _installed(version: str) -> Path | None:
    try:
        package = metadata.distribution(NAME)
    except metadata.PackageNotFoundError:
        return None
    root = Path(str(package.locate_file(".")))
    return root if package.version == version and (root / "placement").is_dir() else None


def _install(requirement: str, name: str, options: list[str], progress: Progress) -> Path:
    tree = package_index.home() / "trees" / name
    if tree.is_dir():
        _used(tree)
        return tree
    progress(f"fetching placement {name}, once")
    partial = tree.with_name(f".{uuid.uuid4().hex}")
    partial.parent.mkdir(exist_ok=True)
    try:
        answer = package_index.uv(
            *("pip", "install", "--quiet", "--no-deps", "--target", str(partial)),
            *("--python", sys.executable, "--no-compile-bytecode", *options, requirement),
        )
        if answer.code:
            raise _failed(f"placement {name} could not be unpacked.", answer)
        _put(partial, tree)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return tree


def _put(partial: Path, place: Path) -> None:
    """Give a directory its name, unless another run was quicker; remove the least recently used."""
    try:
        partial.rename(place)
    except OSError:
        if not place.is_dir():
            raise
    _used(place)
    kept = [path for path in place.parent.iterdir() if not path.name.startswith(".")]
    for old in sorted(kept, key=_last_use)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def _used(place: Path) -> None:
    """Set a directory's modification time, which says when it was last used."""
    # Another run may have removed the directory, or another user may own it.
    with contextlib.suppress(OSError):
        os.utime(place)


def _last_use(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except OSError:
        return 0.0


def _failed(problem: str, answer: package_index.Answer) -> UnreachableError:
    return UnreachableError(
        problem,
        "The lines below are uv's. Check the network, and PIP_INDEX_URL or UV_DEFAULT_INDEX.",
        evidence=answer.errors,
    )


def requirements_of(tree: Path) -> list[str]:
    """The requirements of the placement in a tree."""
    for path in tree.glob(f"{NAME.replace('-', '_')}-*.dist-info"):
        all_of_them = metadata.PathDistribution(path).requires or []
        return [requirement for requirement in all_of_them if "extra ==" not in requirement]
    return of_file(tree / "requirements.txt")


def interpreter_for(source: Path, progress: Progress | None = None) -> str:
    """Path of a Python that has the packages which placement's fixtures in ``source`` need.

    That is this interpreter, unless the placement is so old that today's dependencies break it:
    then it is an environment with the dependencies of the placement's date, which is made once.
    """
    tree = source.parents[4]
    date = date_of_checkout(described(tree))
    if date is None:
        return sys.executable
    wanted = sorted([*requirements_of(tree), *FIXTURES_NEED])
    key = hashlib.sha256("\0".join([sys.version, date, *wanted]).encode()).hexdigest()[:16]
    place = package_index.home() / "environments" / key
    python = place / "bin" / "python"
    if python.exists():
        _used(place)
        return str(python)
    if progress is not None:
        progress(f"installing the dependencies of {date} for placement's fixtures, once")
    partial = place.with_name(f".{key}.{os.getpid()}")
    partial.parent.mkdir(exist_ok=True)
    try:
        for words in (
            ("venv", "--quiet", "--python", sys.executable, "--relocatable", str(partial)),
            (
                *("pip", "install", "--quiet", "--python", str(partial / "bin/python")),
                *until(date),
                *wanted,
            ),
        ):
            answer = package_index.uv(*words)
            if answer.code:
                raise _failed(f"placement's dependencies of {date} could not be installed.", answer)
        _put(partial, place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return str(python)
