"""Files that options name: what cannot be written is found out before any work."""

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.core.files import require_directory, require_file


def test_a_file_that_can_be_written_is_not_made_and_not_changed(tmp_path: Path) -> None:
    kept, new = tmp_path / "kept", tmp_path / "new"
    kept.write_text("kept")
    require_file(kept, "--page")
    require_file(new, "--page")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert kept.read_text() == "kept"


def test_the_directory_of_a_file_is_made(tmp_path: Path) -> None:
    require_file(tmp_path / "a/b/page.html", "--page")
    assert [*(tmp_path / "a/b").iterdir()] == []


@pytest.mark.parametrize("name", ["", "file/below", "file/below/it"])
def test_a_file_that_cannot_be_written_is_named_with_its_option(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"--page \S+ cannot be written: .*\. Name a file in"):
        require_file(tmp_path / name, "--page")


def test_a_directory_is_made_and_one_that_is_a_file_is_refused(tmp_path: Path) -> None:
    require_directory(tmp_path / "a/b", "--output")
    assert [*(tmp_path / "a/b").iterdir()] == []
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"--output \S+file cannot be written"):
        require_directory(tmp_path / "file", "--output")
