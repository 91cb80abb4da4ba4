"""Reads placement's source tree without importing it: name, version, files, database schema."""

import ast
import configparser
import email.parser
import hashlib
import os
import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from shlex import quote

from harness.core.errors import UsageError
from harness.core.process import run
from harness.placements.model import NAME, Schema

# Version of a package whose metadata have none.
UNKNOWN = "0.0.0"
VERSION = re.compile(r"(\d+(?:\.\d+)*(?:\.?(?:a|b|rc|dev|post)\d+)*)")
GIT_SECONDS = 10
# Files that a build reads, besides the package itself.
BUILD_FILES = ("pyproject.toml", "setup.cfg", "setup.py", "requirements.txt")
MIGRATIONS = Path("db/sqlalchemy/alembic/versions")
BY_HAND = "The variable PBR_VERSION says it in place of tags, e.g. PBR_VERSION=15.0.0."
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
    """Version of a tree, from its metadata, from git, or from the variable PBR_VERSION.

    For a checkout with commits after its last tag, their number and the last commit follow a +,
    e.g. 16.0.0+12.g0a1b2c3. Raises UsageError where none of them has a version.
    """
    for path in (*tree.glob(f"{NAME.replace('-', '_')}-*.dist-info/METADATA"), tree / "PKG-INFO"):
        if path.is_file():
            return metadata(path.read_text(encoding="utf-8"))[1]
    try:
        return _version_of_git(tree)
    except UsageError:
        # pbr, which builds placement, takes this for the version of a tree without tags.
        given = VERSION.fullmatch(os.environ.get("PBR_VERSION", ""))
        if given:
            return given[1]
        raise


def _version_of_git(tree: Path) -> str:
    top = _git(tree, "rev-parse", "--show-toplevel")
    if Path(top).resolve() != tree.resolve():
        raise UsageError(
            f"{tree} has no version: it lies in another repository, {top}.",
            f"Give a checkout of placement with its own .git. {BY_HAND}",
        )
    text = _git(tree, "describe", "--tags", "--match", "[0-9]*")
    match = re.fullmatch(rf"{VERSION.pattern}(?:-(\d+)-(g\w+))?", text)
    if not match:
        raise UsageError(
            f"{tree} has no version: its last tag is {text}.", f"Fetch placement's tags. {BY_HAND}"
        )
    return match[1] + (f"+{match[2]}.{match[3]}" if match[2] else "")


def _git(tree: Path, *words: str) -> str:
    """The answer of git to a question about a tree. Raises UsageError with git's reason."""
    outcome = run("git", "-C", str(tree), *words, seconds=GIT_SECONDS)
    if outcome.ok:
        return outcome.out.strip()
    reason = next(
        (line for line in outcome.err.splitlines() if line.startswith("fatal: ")), outcome.reason
    )
    if "safe.directory" in outcome.text or "dubious ownership" in outcome.text:
        remedy = f"If you trust it: `git config --global --add safe.directory {quote(str(tree))}`."
    elif "not a git repository" in outcome.text:
        remedy = f"Give a clone of placement, or an sdist. {BY_HAND}"
    elif words[0] == "describe":
        remedy = (
            f"It has no tags: `git -C {quote(str(tree))} fetch --tags --unshallow` fetches them "
            f"(in GitHub's actions/checkout: fetch-depth: 0). {BY_HAND}"
        )
    else:
        remedy = BY_HAND
    raise UsageError(
        f"{tree} has no version: git says {reason.removeprefix('fatal: ').rstrip('.')}.", remedy
    )


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
