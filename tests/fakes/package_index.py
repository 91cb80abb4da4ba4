"""A package index that answers without a network, and small placements of every kind."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.placements import checkout, lockfile, package_index, source_trees
from harness.placements.package_index import Answer

VERSIONS = ("13.0.0", "13.0.1", "14.0.0", "15.0.0", "16.0.0", "17.0.0")
REQUIREMENTS = "# what it needs\noslo.config>=6.7.0 # Apache-2.0\nSQLAlchemy>=1.4.0\n"
MODELS = "class Provider: pass\n"


class Index:
    """What uv would say of an index with these versions."""

    def __init__(self) -> None:
        self.there = True
        self.calls: list[tuple[tuple[str, ...], str]] = []

    def __call__(self, *words: str, stdin: str = "") -> Answer:
        self.calls.append((words, stdin))
        if not self.there:
            return Answer(2, "", ("error: Failed to fetch", "cause: Connection refused"))
        if words[:2] == ("pip", "install"):
            place = Path(words[words.index("--target") + 1])
            what = words[-1]
            version = re.search(r"(\d+\.\d+\.\d+)", what)
            assert version
            tree(place, requirements=None, version=version[1], name=None)
            return Answer(0, "")
        if "--generate-hashes" in words:
            if "impossible" in stdin:
                return Answer(1, "", ("error: No solution found",))
            return Answer(0, f"# {' '.join(words)}\n{stdin}os-traits==3.6.0\n")
        return self._solve(words, stdin.strip())

    @staticmethod
    def _solve(words: tuple[str, ...], requirement: str) -> Answer:
        operator, wanted = re.fullmatch(r"openstack-placement(==|<|>|)(.*)", requirement).groups()  # type: ignore[union-attr]
        prefix = wanted.removesuffix("*")
        fits: Callable[[str], bool] = {
            "==": lambda one: one.startswith(prefix) if prefix != wanted else one == wanted,
            "<": lambda one: numbers(one) < numbers(wanted),
            ">": lambda one: numbers(one) > numbers(wanted),
            "": lambda one: True,
        }[operator]
        found = [one for one in VERSIONS if fits(one)]
        if not found:
            return Answer(1, "", ("error: No solution found",))
        chosen = found[0 if "lowest-direct" in words else -1]
        time = "upload-time = 2026-10-01T00:00:00Z\n" if "pylock.toml" in words else ""
        return Answer(0, f"openstack-placement=={chosen}\n{time}")

    def words_with(self, word: str) -> tuple[str, ...]:
        (found,) = [words for words, _ in self.calls if word in words]
        return found


def numbers(version: str) -> list[int]:
    return [int(one) for one in version.split(".")]


def tree(
    place: Path,
    *,
    requirements: str | None = REQUIREMENTS,
    version: str | None = "16.0.0",
    name: str | None = "openstack-placement",
    chain: tuple[str, ...] = ("a1", "b2"),
) -> Path:
    """A placement, as a checkout or (without a name) as it is installed."""
    migrations = place / "placement" / checkout.MIGRATIONS
    migrations.mkdir(parents=True)
    (place / "placement/__init__.py").touch()
    (place / "placement/db/sqlalchemy/models.py").write_text(MODELS)
    before = None
    for one in chain:
        (migrations / f"{one}_.py").write_text(f"revision = {one!r}\ndown_revision = {before!r}\n")
        before = one
    if requirements is not None:
        (place / "requirements.txt").write_text(requirements)
    if name:
        (place / "setup.cfg").write_text(f"[metadata]\nname = {name}\n")
        if version:
            (place / "PKG-INFO").write_text(metadata("openstack-placement", version))
    else:
        info = place / f"openstack_placement-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(metadata("openstack-placement", str(version)))
    return place


def metadata(name: str, version: str) -> str:
    needs = "Requires-Dist: oslo.config>=6.7.0\nRequires-Dist: mox; extra == 'test'\n"
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}\nWords.\n"


def wheel(path: Path, name: str = "openstack-placement", version: str = "15.0.0") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-{version}.dist-info/METADATA", metadata(name, version))
    return path


def without_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """Let uv answer from an index with VERSIONS, of which 16.0.0 is the locked one."""
    fake = Index()
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(package_index, "uv", fake)
    monkeypatch.setattr(lockfile, "locked_version", lambda: "16.0.0")
    monkeypatch.setattr(source_trees, "_installed", lambda version: None)
    checkout.described.cache_clear()
    return fake
