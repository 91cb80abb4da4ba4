"""The suites of the placement under test."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.upstream.fixture_data import OwnSuites, installed_suites


def test_runs_of_one_process_each_have_the_suites_of_their_placement(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    runs = [OwnSuites(first), OwnSuites(second), OwnSuites()]
    folders = [first, second, installed_suites()]
    assert [run.directory for run in runs] == folders
    for run, own in zip(runs, folders, strict=True):
        assert [folder / "one.yaml" in run for folder in folders] == [
            folder == own for folder in folders
        ]


def test_a_placement_without_suites_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(UsageError, match=f"no suites of its own: there is no {gone}"):
        _ = OwnSuites(gone).directory
    assert gone / "one.yaml" not in OwnSuites(gone)
