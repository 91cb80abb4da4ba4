"""What --placement SPEC means, and what it cannot mean: without a network."""

import os
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.core.process import run
from harness.placements import build_context, checkout, lockfile, specs
from harness.placements.model import SERVICE
from harness.placements.specs import resolve, resolve_all
from tests.fakes.package_index import MODELS, REQUIREMENTS, Index, tree, wheel

# SPECs with a meaning


@pytest.mark.parametrize(
    ("spec", "version"), [("13", "13.0.1"), ("13.0", "13.0.1"), ("v13.0.0", "13.0.0")]
)
def test_fewer_numbers_mean_the_newest_that_begins_so(spec: str, version: str) -> None:
    found = resolve(spec)
    assert (found.version, found.date) == (version, "2025-04-10")
    assert ("newest of" in found.title) is (spec in ("13", "13.0"))


def test_no_spec_and_the_locked_version_mean_the_lock(of_the_index: Index) -> None:
    default, named = resolve(""), resolve("16.0.0")
    assert default.locked
    assert named.locked
    assert default.content == named.content
    assert default.lock == lockfile.LOCK
    assert build_context.prepare(named) == SERVICE
    assert not any("compile" in words for words, _ in of_the_index.calls)


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


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@t")
    outcome = run("git", "-C", str(folder), *identity, *words, seconds=20)
    assert outcome.ok, outcome.text


def committed(folder: Path, *tags: str) -> Path:
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    for tag in tags:
        git(folder, "tag", tag)
    return folder


def test_a_checkout_has_the_version_of_its_last_tag(tmp_path: Path) -> None:
    folder = committed(tree(tmp_path / "tagged", version=None), "14.0.0")
    assert resolve(str(folder)).version == "14.0.0"


def test_a_checkout_whose_version_git_does_not_know_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PBR_VERSION", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    none = str(tree(tmp_path / "none", version=None))
    fails(none, "git says not a git repository", "Give a clone of placement.*PBR_VERSION")
    bare = str(committed(tree(tmp_path / "bare", version=None)))
    fails(bare, "git says No names found", "It has no tags: .*fetch --tags.*fetch-depth: 0")
    (tmp_path / "outer").mkdir()
    inner = str(tree(tmp_path / "outer/inner", version=None))
    committed(tmp_path / "outer", "99.1")
    fails(inner, "lies in another repository, .*/outer", "its own .git")
    monkeypatch.setenv("PBR_VERSION", "15.0.0")
    assert resolve(str(tree(tmp_path / "told", version=None))).version == "15.0.0"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a directory away")
def test_a_checkout_of_another_owner_names_gits_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = committed(tree(tmp_path / "foreign", version=None), "14.0.0")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 12345, 12345)
    fails(str(folder), "git says detected dubious ownership", "add safe.directory .*/foreign")


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


# SPECs that are refused


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
    fails(str(broken), "has no requirements.txt", "Complete the checkout")


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


def test_migrations_with_two_ends_are_named(tmp_path: Path) -> None:
    folder = tree(tmp_path / "placement")
    versions = folder / "placement" / checkout.MIGRATIONS
    (versions / "c3_.py").write_text("revision = 'c3'\ndown_revision = 'a1'\n")
    with pytest.raises(UsageError, match="have b2 and c3 at their end, in place of one"):
        resolve(str(folder))
