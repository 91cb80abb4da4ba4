"""What --placement SPEC means, and what it cannot mean: without a network."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import UnreachableError, UsageError
from harness.placements import build_context, checkout, lockfile, package_index, source_trees, specs
from harness.placements.model import SERVICE
from harness.placements.package_index import Answer
from harness.placements.specs import resolve, resolve_all

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


@pytest.fixture(autouse=True)
def of_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    fake = Index()
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(package_index, "uv", fake)
    monkeypatch.setattr(lockfile, "locked_version", lambda: "16.0.0")
    monkeypatch.setattr(source_trees, "_installed", lambda version: None)
    checkout.described.cache_clear()
    return fake


# What is meant


def test_a_release_has_the_dependencies_of_its_own_date(of_the_index: Index) -> None:
    found = resolve("15.0.0")
    assert (found.kind, found.version, found.date) == ("release", "15.0.0", "2026-04-15")
    assert found.title == "15.0.0"
    words = of_the_index.words_with("--generate-hashes")
    assert words[words.index("--exclude-newer") + 1] == "2026-04-15"
    # What serves it is as in every other image; a point release is later than its series.
    exempt = [word for word in words if word.endswith("2999-12-31")]
    assert exempt == [f"{n}=2999-12-31" for n in ("openstack-placement", *lockfile.SERVERS)]


@pytest.mark.parametrize(
    ("spec", "version"), [("13", "13.0.1"), ("13.0", "13.0.1"), ("v13.0.0", "13.0.0")]
)
def test_fewer_numbers_mean_the_newest_that_begins_so(spec: str, version: str) -> None:
    found = resolve(spec)
    assert (found.version, found.date) == (version, "2025-04-10")
    assert ("newest of" in found.title) is (spec in ("13", "13.0"))


def test_a_series_that_is_not_known_here_has_the_date_of_its_first_release() -> None:
    assert resolve("17.0.0").date == "2026-10-15"


def test_no_spec_and_the_locked_version_mean_the_lock(of_the_index: Index) -> None:
    default, named = resolve(""), resolve("16.0.0")
    assert default.locked
    assert named.locked
    assert default.content == named.content
    assert default.lock == lockfile.LOCK
    assert build_context.prepare(named) == SERVICE
    assert not any("compile" in words for words, _ in of_the_index.calls)


def test_constraints_take_the_place_of_a_date(tmp_path: Path, of_the_index: Index) -> None:
    limits = tmp_path / "upper-constraints.txt"
    limits.write_text("oslo.config===9.7.1\npymysql===1.0.0\n")
    found = resolve("15.0.0", limits)
    assert found.date is None
    words = of_the_index.words_with("--generate-hashes")
    assert "--exclude-newer" not in words
    assert found.content != resolve("15.0.0").content
    assert not resolve("16.0.0", limits).locked


def test_a_checkout_is_compared_by_its_files(tmp_path: Path) -> None:
    checkout = tree(tmp_path / "placement")
    before = resolve(str(checkout))
    assert (before.kind, before.version, before.date) == ("checkout", "16.0.0", None)
    assert resolve(str(checkout)) == before

    (checkout / "placement/tests").mkdir()
    (checkout / "placement/tests/test_it.py").touch()
    (checkout / "placement/__pycache__").mkdir()
    (checkout / "placement/__pycache__/x.cpython-313.pyc").touch()
    assert resolve(str(checkout)) == before, "no replica has its tests"

    (checkout / "placement/handler.py").write_text("x = 1\n")
    assert resolve(str(checkout)) == before, "its code is put over the image's"

    (checkout / "placement/db/sqlalchemy/models.py").write_text(MODELS + "class New: pass\n")
    migrated = resolve(str(checkout))
    assert migrated.content != before.content, "databases are made with its image"
    assert migrated.schema.digest != before.schema.digest

    (checkout / "requirements.txt").write_text(REQUIREMENTS + "oslo.cache\n")
    assert resolve(str(checkout)).content != migrated.content


def test_an_old_checkout_has_the_dependencies_of_its_series(tmp_path: Path) -> None:
    assert resolve(str(tree(tmp_path / "old", version="14.0.0"))).date == "2025-10-15"
    unknown = resolve(str(tree(tmp_path / "unknown", version=None)))
    assert (unknown.version, unknown.date) == ("16.0.0+unknown", None)


def test_a_wheel_and_an_sdist_are_what_is_in_them(tmp_path: Path) -> None:
    path = wheel(tmp_path / "openstack_placement-15.0.0-py3-none-any.whl")
    found = resolve(str(path))
    assert (found.kind, found.version, found.date) == ("wheel", "15.0.0", "2026-04-15")
    assert "mox" not in found.lock.read_text()
    folder = tree(tmp_path / "openstack_placement-15.0.0", version="15.0.0")
    archive = tmp_path / "openstack_placement-15.0.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)
    assert resolve(str(archive)).kind == "sdist"
    assert resolve(str(archive)).content != found.content


def test_the_build_gets_what_it_needs_and_no_more(tmp_path: Path) -> None:
    checkout = tree(tmp_path / "placement", version="14.0.0")
    (checkout / "placement/tests").mkdir()
    (checkout / "placement/tests/test_it.py").touch()
    (checkout / ".git").mkdir()
    (checkout / ".git/config").write_text("secret")
    folder = build_context.prepare(resolve(str(checkout)))
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"Dockerfile", "requirements.txt", "unused.txt", "package.env"} <= names
    assert "package/placement/placement/__init__.py" in names
    assert "package/placement/setup.cfg" in names
    assert not any(".git" in name or "tests" in name for name in names)
    words = (folder / "package.env").read_text()
    assert words == "PBR_VERSION=14.0.0\nUV_EXCLUDE_NEWER=2025-10-15\n"


def test_the_newest_of_a_series_is_asked_for_again_after_a_while(
    of_the_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve("13")
    asked = len(of_the_index.calls)
    resolve("13")
    assert len(of_the_index.calls) == asked
    monkeypatch.setattr(package_index, "FRESH", -1)
    resolve("13")
    assert len(of_the_index.calls) == asked + 1


def test_what_was_found_before_is_found_without_an_index(
    of_the_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_index, "FRESH", -1)
    known = [resolve(spec) for spec in ("15.0.0", "13")]
    of_the_index.there = False
    said: list[str] = []
    assert [resolve(spec, progress=said.append) for spec in ("15.0.0", "13")] == known
    assert said == ["the package index cannot be asked: placement 13.0.1, as was known before"]


# Several


def test_the_newest_of_several_is_the_one_with_the_most_migrations(tmp_path: Path) -> None:
    checkout = tree(tmp_path / "placement", chain=("a1", "b2", "c3"))
    found = resolve_all(["15.0.0", str(checkout), "16.0.0"])
    assert [one.version for one in found] == ["15.0.0", "16.0.0", "16.0.0"]
    assert specs.newest(found).kind == "checkout"
    assert specs.newest(resolve_all(["16.0.0", "15.0.0"])).version == "16.0.0"


def test_schemas_that_are_beside_each_other_cannot_be_mixed(tmp_path: Path) -> None:
    checkout = tree(tmp_path / "placement", chain=("a1", "x9", "y9"))
    with pytest.raises(UsageError, match="does not know the schema b2 of the other"):
        resolve_all(["15.0.0", str(checkout)])


# What cannot be meant


def fails(spec: str, problem: str, remedy: str) -> UsageError:
    with pytest.raises(UsageError, match=problem) as caught:
        resolve(spec)
    assert re.search(remedy, caught.value.remedy), caught.value.remedy
    assert spec in str(caught.value)
    return caught.value


def test_an_unknown_version_names_the_nearest() -> None:
    fails("15.0.3", "no such version", r"nearest are 15\.0\.0 and 16\.0\.0, the newest is 17")
    fails("99", "no such version", r"nearest is 17\.0\.0")
    fails("0.1", "no such version", r"nearest is 13\.0\.0")


def test_a_path_that_is_not_there_names_a_near_one(tmp_path: Path) -> None:
    tree(tmp_path / "placement")
    fails(str(tmp_path / "placment"), "no such file or directory", "Did you mean .*/placement?")
    fails(str(tmp_path / "src/placement"), "no such file", "There is no .*/src either")
    fails("flamingo", "that is no version, nor a path", "Give a version, e.g")
    fails("openstack-placement==15.0.0", "no version, nor a path", r"Did you mean 15\.0\.0\?")


def test_a_directory_that_is_not_placement_says_what_it_is(tmp_path: Path) -> None:
    fails(str(tree(tmp_path / "nova", name="nova")), "that is nova, not", "a checkout of placement")
    (tmp_path / "empty").mkdir()
    fails(str(tmp_path / "empty"), "no Python project in", "pyproject.toml or a setup.cfg")
    outer = tmp_path / "outer"
    tree(outer / "placement")
    fails(str(outer), "no Python project in", "Did you mean .*/outer/placement?")
    broken = tree(tmp_path / "broken", requirements=None)
    fails(str(broken), "has no requirements.txt", "Take it whole")


def test_a_file_that_is_not_placement_says_what_it_is(tmp_path: Path) -> None:
    fails(str(wheel(tmp_path / "nova.whl", "nova")), "that is nova, not", "Give a version")
    text = tmp_path / "notes.txt"
    text.touch()
    fails(str(text), "neither a wheel", "Give a version")
    for name in ("broken.whl", "broken.tar.gz"):
        (tmp_path / name).write_text("no archive")
        fails(str(tmp_path / name), "cannot be read", "Fetch or build it again")
    empty = tmp_path / "empty.whl"
    zipfile.ZipFile(empty, "w").close()
    fails(str(empty), "that is no Python package", "Give a version")


def test_dependencies_that_do_not_fit_ask_for_constraints(tmp_path: Path) -> None:
    checkout = tree(tmp_path / "placement", requirements="impossible>=3\n")
    with pytest.raises(UsageError, match=r"\(of today\) do not fit together") as caught:
        resolve(str(checkout))
    assert "--placement-constraints FILE" in caught.value.remedy
    limits = tmp_path / "limits.txt"
    limits.touch()
    with pytest.raises(UsageError, match="do not fit together") as caught:
        resolve(str(checkout), limits)
    assert "Correct the file" in caught.value.remedy


def test_constraints_that_are_not_there_are_named() -> None:
    with pytest.raises(UsageError, match="--placement-constraints /nowhere: there is no such"):
        resolve("15.0.0", Path("/nowhere"))


def test_an_index_that_does_not_answer_says_what_to_check(of_the_index: Index) -> None:
    of_the_index.there = False
    for spec in ("15.0.0", "14"):
        with pytest.raises(UnreachableError, match="The package index could") as caught:
            resolve(spec)
        assert "PIP_INDEX_URL or UV_DEFAULT_INDEX" in caught.value.remedy
        assert "Connection refused" in caught.value.evidence[-1]
        assert caught.value.exit_code == 70


def test_migrations_with_two_ends_are_named(tmp_path: Path) -> None:
    folder = tree(tmp_path / "placement")
    versions = folder / "placement" / checkout.MIGRATIONS
    (versions / "c3_.py").write_text("revision = 'c3'\ndown_revision = 'a1'\n")
    with pytest.raises(UsageError, match="have b2 and c3 at their end, not one"):
        resolve(str(folder))


# The environment of old fixtures


def test_old_fixtures_get_an_interpreter_of_their_own(
    tmp_path: Path, of_the_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, ...]] = []

    def uv(*words: str, stdin: str = "") -> Answer:
        made.append(words)
        if words[0] == "venv":
            python = Path(words[-1]) / "bin/python"
            python.parent.mkdir(parents=True)
            python.touch()
        return Answer(0, "")

    monkeypatch.setattr(package_index, "uv", uv)
    module = "placement/tests/functional/fixtures/gabbits.py"
    old = tree(tmp_path / "old", version="14.0.0", name=None, requirements=None)
    python = source_trees.interpreter_for(old / module)
    assert python == source_trees.interpreter_for(old / module)
    assert python.startswith(str(tmp_path / "state/.placements/environments/"))
    assert [words[0] for words in made] == ["venv", "pip"]
    assert {"oslotest", "wsgi-intercept", "oslo.config>=6.7.0", "2025-10-15"} <= set(made[1])
    new = tree(tmp_path / "new", version="16.0.1", name=None)
    assert source_trees.interpreter_for(new / module) == sys.executable


def test_uv_is_told_what_pip_is_told() -> None:
    assert package_index._as_pip({"PIP_INDEX_URL": "a", "PIP_CERT": "b"}) == {
        "UV_DEFAULT_INDEX": "a",
        "SSL_CERT_FILE": "b",
    }
    assert package_index._as_pip({"PIP_INDEX_URL": "a", "UV_INDEX_URL": "c"}) == {}


# Caches


def test_the_tree_that_was_used_longest_ago_is_removed_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_trees, "KEPT", 2)
    trees = tmp_path / "state/.placements/trees"
    for hours, version in enumerate(("13.0.0", "14.0.0")):
        resolve(version)
        os.utime(trees / version, (hours * 3600, hours * 3600))
    resolve("13.0.0")
    resolve("15.0.0")
    assert {path.name for path in trees.iterdir()} == {"13.0.0", "15.0.0"}


REMEMBER = """
import sys
from harness.placements import package_index
for number in range(40):
    package_index.remember("versions", f"{sys.argv[1]}-{number}", "1.0.0")
"""


def test_two_processes_side_by_side_lose_none_of_each_others_entries() -> None:
    writers = [subprocess.Popen([sys.executable, "-c", REMEMBER, name]) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    entries = [f"{name}-{number}" for name in "ab" for number in range(40)]
    assert [key for key in entries if package_index.recall("versions", key) is None] == []
