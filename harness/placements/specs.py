"""Resolves the SPEC of --placement into a Placement."""

import re
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from harness.config.plan import Plan
from harness.core.errors import UnreachableError, UsageError
from harness.core.measurements import Progress
from harness.placements import build_context, checkout, lockfile, package_index, source_trees
from harness.placements.model import NAME, Kind, Placement

RELEASE = re.compile(rf"v?{checkout.VERSION.pattern}")
# A version with fewer numbers than this names a series.
COMPLETE = 3
PACKAGES = {".whl": "wheel", ".tar.gz": "sdist"}


def _quiet(_: str) -> None:
    pass


def resolve(spec: str, constraints: Path | None = None, progress: Progress = _quiet) -> Placement:
    """The placement that a SPEC means; an empty SPEC means the release of the project's lock.

    15.0.0 is that release; 15 and 15.0 are the newest release whose version begins so. Any other
    SPEC is the path of a checkout, a wheel or an sdist. ``constraints`` is a file of dependencies
    that takes the place of those of the version's date. Raises UsageError, and UnreachableError
    without an index.
    """
    if constraints is not None and not constraints.is_file():
        raise UsageError(
            f"--placement-constraints {constraints}: there is no such file.",
            "Give a file of constraints, as pip takes them.",
        )
    path = Path(spec).expanduser().absolute()
    if not spec or RELEASE.fullmatch(spec):
        placement = _release(spec, constraints, progress)
    elif path.is_dir():
        placement = _checkout(spec, path, constraints)
    elif path.is_file():
        placement = _file(spec, path, constraints, progress)
    else:
        raise _neither(spec, path)
    return replace(placement, constraints=constraints)


def resolve_all(
    specs: Sequence[str], constraints: Path | None = None, progress: Progress = _quiet
) -> tuple[Placement, ...]:
    """The placements that replicas take turns with; raises UsageError when they cannot be mixed."""
    placements = tuple(resolve(spec, constraints, progress) for spec in specs or [""])
    last = newest(placements)
    for placement in placements:
        if not last.schema.can_serve(placement.schema):
            raise UsageError(
                f"placement {placement.title} and {last.title} cannot be mixed on one database: "
                f"the newer one does not know the schema {placement.schema.head} of the other.",
                "Rebase the checkout on the newer version, or run them one by one.",
            )
    return placements


def of_plan(plan: Plan, progress: Progress = _quiet) -> tuple[Placement, ...]:
    """The placements of a run; empty if it is the locked release alone. Raises UsageError."""
    constraints = constraints_at(plan.constraints)
    if not plan.placements and constraints is None:
        return ()
    return resolve_all(plan.placements, constraints, progress)


def constraints_at(written: str) -> Path | None:
    """Absolute path of the file of constraints; None if none was given."""
    return Path(written).expanduser().absolute() if written else None


def newest(placements: Sequence[Placement]) -> Placement:
    """The placement with the most migrations, on whose schema all the others can run."""
    return max(placements, key=lambda each: (len(each.schema.known), _numbers(each.version)))


def _numbers(version: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", version)]


def _release(spec: str, constraints: Path | None, progress: Progress) -> Placement:
    locked = lockfile.locked_version()
    version = _version(spec.removeprefix("v"), progress) if spec else locked
    if version == locked and constraints is None:
        lock, date = lockfile.LOCK, None
    else:
        date = None if constraints else lockfile.date_of(version)
        lock = lockfile.lock([f"{NAME}=={version}"], date, constraints)
    tree = source_trees.of_release(version, progress)
    return Placement(
        spec=spec,
        kind="release",
        version=version,
        tree=tree,
        lock=lock,
        content=build_context.content("release", lock, version),
        schema=checkout.schema(tree, lock),
        locked=lock == lockfile.LOCK,
        date=date,
    )


def _version(spec: str, progress: Progress) -> str:
    """The version that a spec names, or the newest that begins with it."""
    complete = spec.count(".") + 1 >= COMPLETE
    locked = lockfile.locked_version()
    known = spec if complete and spec == locked else package_index.recall("versions", spec)
    if known and (complete or package_index.fresh(f"{NAME}=={spec}")):
        return known
    try:
        version = package_index.newest(f"{NAME}=={spec}" + ("" if complete else ".*"))
    except package_index.NoSuchVersionError:
        raise _no_version(spec) from None
    except UnreachableError:
        if not known and f"{locked}.".startswith(f"{spec}."):
            known = locked
        if not known:
            raise
        progress(f"the package index cannot be asked: using placement {known}, found earlier")
        return known
    package_index.remember("versions", spec, version)
    package_index.asked(f"{NAME}=={spec}")
    return version


def _no_version(spec: str) -> UsageError:
    near = package_index.near(spec)
    latest = package_index.newest(NAME)
    are = "are" if len(near) > 1 else "is"
    return UsageError(
        f"--placement {spec}: there is no such version of {NAME}.",
        f"The nearest {are} {' and '.join(near)}, the newest is {latest}.",
    )


def _checkout(spec: str, tree: Path, constraints: Path | None) -> Placement:
    checkout.require_placement(tree, spec)
    try:
        version = checkout.described(tree)
    except UsageError as error:
        raise UsageError(f"--placement {spec}: {error.problem}", error.remedy) from error
    date = None if constraints else lockfile.date_of_checkout(version)
    lock = lockfile.lock(lockfile.of_file(tree / "requirements.txt"), date, constraints)
    return _placement(spec, "checkout", version, tree, tree, lock, date)


def _file(spec: str, path: Path, constraints: Path | None, progress: Progress) -> Placement:
    kind: Kind
    if path.name.endswith(".whl"):
        kind = "wheel"
    elif path.name.endswith(".tar.gz"):
        kind = "sdist"
    else:
        raise UsageError(
            f"--placement {spec}: that file is neither a wheel (.whl) nor an sdist (.tar.gz).",
            checkout.NEITHER,
        )
    try:
        texts = list(_metadata(path, kind))
    except (OSError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise UsageError(
            f"--placement {spec}: the {kind} cannot be read: {error}.", "Fetch or build it again."
        ) from error
    name, version = checkout.metadata(texts[0]) if texts else ("no Python package", "")
    if name != NAME:
        raise UsageError(f"--placement {spec}: that is {name}, not {NAME}.", checkout.NEITHER)
    date = None if constraints else lockfile.date_of_checkout(version)
    tree = source_trees.of_file_at(path, version, progress)
    if not (tree / "placement/__init__.py").is_file():
        raise UsageError(f"--placement {spec}: there is no placement in it.", checkout.NEITHER)
    lock = lockfile.lock(source_trees.requirements_of(tree), date, constraints)
    return _placement(spec, kind, version, tree, path, lock, date)


def _metadata(path: Path, kind: Kind) -> Iterator[str]:
    if kind == "wheel":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if re.fullmatch(r"[^/]+\.dist-info/METADATA", name):
                    yield archive.read(name).decode(errors="replace")
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                if re.fullmatch(r"[^/]+/PKG-INFO", member.name) and (
                    file := archive.extractfile(member)
                ):
                    yield file.read().decode(errors="replace")
                    return


def _placement(
    spec: str, kind: Kind, version: str, tree: Path, package: Path, lock: Path, date: str | None
) -> Placement:
    schema = checkout.schema(tree, lock)
    return Placement(
        spec=spec,
        kind=kind,
        version=version,
        tree=tree,
        lock=lock,
        content=build_context.content(kind, lock, version, date, package, schema.digest),
        schema=schema,
        package=package,
        date=date,
    )


def _neither(spec: str, path: Path) -> UsageError:
    pinned = re.fullmatch(rf"{NAME}==({checkout.VERSION.pattern})", checkout.canonical(spec))
    pinned = pinned or re.search(r"==\s*(\d[\w.]*)$", spec)
    beside = path.parent
    names = [path.name for path in beside.iterdir()] if beside.is_dir() else []
    if pinned:
        hint = f"Did you mean {pinned[1]}? "
    elif close := get_close_matches(path.name, names, n=1):
        hint = f"Did you mean {beside / close[0]}? "
    else:
        hint = "" if beside.is_dir() or beside == path else f"There is no {beside} either. "
    looks = "/" in spec or spec.startswith("~") or spec.endswith(tuple(PACKAGES))
    problem = "there is no such file or directory" if looks else "that is no version, nor a path"
    return UsageError(f"--placement {spec}: {problem}.", f"{hint}{checkout.NEITHER}")
