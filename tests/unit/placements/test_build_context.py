"""A placement is built from the files that it was resolved from."""

import os
from pathlib import Path

import pytest

from harness.core.errors import BuildError
from harness.placements import build_context
from harness.placements.specs import resolve
from tests.fakes.package_index import REQUIREMENTS, tree


def test_the_build_gets_what_it_needs_and_no_more(tmp_path: Path) -> None:
    checkout = tree(tmp_path / "placement", version="14.0.0")
    (checkout / "placement/tests").mkdir()
    (checkout / "placement/tests/test_it.py").touch()
    (checkout / ".git").mkdir()
    (checkout / ".git/config").write_text("secret")
    folder = build_context.prepare(resolve(str(checkout)))
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"Dockerfile", "requirements.txt", "cuts.txt", "keep.txt", "package.env"} <= names
    assert "package/placement/placement/__init__.py" in names
    assert "package/placement/setup.cfg" in names
    assert not any(".git" in name or "tests" in name for name in names)
    words = (folder / "package.env").read_text()
    assert words == "PBR_VERSION=14.0.0\nUV_EXCLUDE_NEWER=2025-10-15\n"


def test_a_context_stays_as_it_was_resolved_whatever_is_edited(tmp_path: Path) -> None:
    checkout = tree(tmp_path / "placement")
    placement = resolve(str(checkout))
    folder = build_context.prepare(placement)
    (checkout / "requirements.txt").write_text("edited\n")
    assert build_context.prepare(placement) == folder
    assert (folder / "package/placement/requirements.txt").read_text() == REQUIREMENTS


@pytest.mark.parametrize("name", ["requirements.txt", "placement/db/sqlalchemy/models.py"])
def test_files_that_have_changed_since_they_were_resolved_are_not_built(
    tmp_path: Path, name: str
) -> None:
    checkout = tree(tmp_path / "placement")
    placement = resolve(str(checkout))
    (checkout / name).write_text("edited = 1\n")
    with pytest.raises(BuildError, match="has changed since this run began"):
        build_context.prepare(placement)
    contexts = tmp_path / "state/.placements/contexts"
    assert [*contexts.iterdir()] == []


def test_replicas_can_read_what_is_built_whatever_the_modes_of_the_checkout_are(
    tmp_path: Path,
) -> None:
    checkout = tree(tmp_path / "placement")
    (checkout / "etc/placement").mkdir(parents=True)
    (checkout / "etc/placement/placement.conf").touch()
    paths = [checkout, *checkout.rglob("*")]
    for path in sorted(paths, reverse=True):
        path.chmod(0o500 if path.is_dir() else 0o400)
    before = os.umask(0o077)
    try:
        folder = build_context.prepare(resolve(str(checkout)))
    finally:
        os.umask(before)
        for path in paths:
            path.chmod(0o700)
    built = [folder / "package/placement", *(folder / "package/placement").rglob("*")]
    assert folder / "package/placement/etc/placement/placement.conf" in built
    assert {(path.is_dir(), path.stat().st_mode & 0o777) for path in built} == {
        (True, 0o755),
        (False, 0o644),
    }
