"""Reads placement's source tree without importing it: name, version, files, database schema."""

import ast
import configparser
import email.parser
import hashlib
import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from harness.core.errors import UsageError
from harness.core.process import run
from harness.placements.model import NAME, Schema

# Version of a package whose version is not known.
UNKNOWN = "0.0.0"
VERSION = re.compile(r"(\d+(?:\.\d+)*(?:\.?(?:a|b|rc|dev|post)\d+)*)")
GIT_SECONDS = 10
# Files that a build reads, besides the package itself.
BUILD_FILES = ("pyproject.toml", "setup.cfg", "setup.py", "requirements.txt")
MIGRATIONS = Path("db/sqlalchemy/alembic/versions")
NEITHER = "Give a version, e.g. 15.0.0, a checkout of placement, a wheel or an sdist."


def require_placement(tree: Path, spec: str) -> None:
    """Raise UsageError unless a directory is a checkout of placement, or an unpacked sdist."""
    name = _project_name(tree)
    if name is None:
        inside = [path for path in tree.glob("*/setup.cfg") if _project_name(path.parent) == NAME]
        hint = f"Did you mean {inside[0].parent}? " if inside else ""
        raise UsageError(
            f"--placement {spec}: there is no Python project in {tree}.",
            f"{hint}A checkout of placement has a pyproject.toml or a setup.cfg.",
        )
    if name != NAME:
        raise UsageError(f"--placement {spec}: that is {name}, not {NAME}.", NEITHER)
    missing = [
        name
        for name in ("placement/__init__.py", "requirements.txt")
        if not (tree / name).is_file()
    ]
    if missing:
        raise UsageError(
            f"--placement {spec}: the checkout {tree} has no {' and no '.join(missing)}.",
            f"Complete the checkout: `git -C {tree} status` lists what is missing.",
        )


def _project_name(tree: Path) -> str | None:
    name: object = None
    try:
        project = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))
        name = project.get("project", {}).get("name")
    except (OSError, ValueError, AttributeError):
        pass
    if not name:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string((tree / "setup.cfg").read_text(encoding="utf-8"))
            name = parser.get("metadata", "name", fallback=None)
        except (OSError, ValueError, configparser.Error):
            pass
    return canonical(str(name)) if name else None


def canonical(name: str) -> str:
    """A project's name, as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def described(tree: Path) -> str:
    """Version of a tree, from git or from its metadata; UNKNOWN where neither has one.

    For a checkout with commits after its last tag, their number and the last commit follow a +,
    e.g. 16.0.0+12.g0a1b2c3.
    """
    for path in (*tree.glob(f"{NAME.replace('-', '_')}-*.dist-info/METADATA"), tree / "PKG-INFO"):
        if path.is_file():
            return metadata(path.read_text(encoding="utf-8"))[1]
    command = ("git", "-C", str(tree), "describe", "--tags", "--match", "[0-9]*")
    outcome = run(*command, seconds=GIT_SECONDS)
    match = re.fullmatch(rf"{VERSION.pattern}(?:-(\d+)-(g\w+))?", outcome.out.strip())
    if not outcome.ok or not match:
        return UNKNOWN
    return match[1] + (f"+{match[2]}.{match[3]}" if match[2] else "")


def metadata(text: str) -> tuple[str, str]:
    """The name and the version in a package's metadata."""
    headers = email.parser.HeaderParser().parsestr(text)
    return canonical(headers.get("Name", "")), headers.get("Version", UNKNOWN)


def public(version: str) -> str:
    """The version's tag alone, which stays the same from commit to commit."""
    match = VERSION.match(version)
    return match[1] if match else UNKNOWN


def series(version: str) -> int:
    return int(public(version).partition(".")[0])


def package_files(package: Path) -> list[Path]:
    """Files of the package, without its tests, which no replica has."""
    return [
        path
        for path in sorted(package.rglob("*"))
        if path.is_file()
        and path.suffix != ".pyc"
        and "__pycache__" not in path.parts
        and path.relative_to(package).parts[0] != "tests"
    ]


def digest_of(root: Path, paths: Iterable[Path]) -> str:
    """Digest of these files' contents, and of their names below the root."""
    digest = hashlib.sha256()
    for path in paths:
        data = path.read_bytes()
        digest.update(f"{path.relative_to(root)}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()[:16]


def schema(tree: Path, lock: Path) -> Schema:
    """Database schema of the placement in a tree; ``lock`` is the lock file of its dependencies.

    Raises UsageError for migrations that make no sense.
    """
    package = tree / "placement"
    migrations = sorted((package / MIGRATIONS).glob("*.py"))
    before = {}
    for path in migrations:
        values = _assigned(path)
        if isinstance(revision := values.get("revision"), str):
            before[revision] = values.get("down_revision")
    parents = {parent for parent in before.values() if isinstance(parent, str)}
    heads = sorted(set(before) - parents)
    if len(heads) != 1:
        raise UsageError(
            f"The migrations in {package / MIGRATIONS} have "
            f"{' and '.join(heads) or 'no revision'} at their end, in place of one revision.",
            "Correct their down_revision: each must name the revision before it.",
        )
    made_of = [*migrations, package / "db/sqlalchemy/models.py"]
    standard = re.findall(r"^(?:os-traits|os-resource-classes)==\S+", lock.read_text(), re.M)
    whole = digest_of(package, [path for path in made_of if path.is_file()]) + str(sorted(standard))
    return Schema(heads[0], frozenset(before), hashlib.sha256(whole.encode()).hexdigest()[:16])


def _assigned(path: Path) -> dict[str, object]:
    """The constants that a module's top level assigns."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError:
        # Replicas will fail on such a module, and their traceback is shown.
        return {}
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
