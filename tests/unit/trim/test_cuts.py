"""The file of cuts is read as it was written."""

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.core.paths import SERVICES
from harness.trim import cuts
from harness.trim.cuts import Cut

SOME = [
    Cut("standin", "site", "sqlalchemy.dialects", "SQLAlchemy==2.1.9", "3 modules"),
    Cut("unopened", "lib", "sqlite3/**/*"),
    Cut("guarded", "site", "charset_normalizer", "charset-normalizer==3.4.4", ""),
]


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "cuts.txt"
    path.write_text(cuts.text(SOME, ["head", "", "more"]))
    assert path.read_text().startswith("# head\n#\n# more\n")
    read = cuts.read(path)
    assert {*read} == {*SOME}
    assert {cut.note for cut in read} == {"3 modules", ""}


@pytest.mark.parametrize("line", ["unopened", "nonsense site x", "unopened opt x", "a b c d e"])
def test_a_line_that_is_no_cut_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "cuts.txt"
    path.write_text(f"# head\n{line}\n")
    with pytest.raises(UsageError, match=r"cuts\.txt:2 is no cut"):
        cuts.read(path)


def test_the_projects_own_file_can_be_read() -> None:
    assert cuts.read(SERVICES / "placement" / "cuts.txt")
