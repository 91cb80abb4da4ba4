"""Which cells a matrix has, and what is said of those that make no sense."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.matrix import cells
from harness.matrix.cells import Axes, Cell, chosen
from tests.fakes.matrix import everything

_everything = pytest.fixture(autouse=True)(everything)


def names(found: Sequence[Cell]) -> list[str]:
    return [cell.name for cell in found]


def test_all_is_each_database_each_source_each_release_and_the_mixed_pair() -> None:
    assert names(chosen("all", Axes())) == [
        "mariadb-env-3",
        "mariadb-10.11-env-3",
        "galera-env-3",
        "galera-multiwriter-env-3",
        "mariadb-file-3",
        "mariadb-etcd-3",
        "mariadb-env-13.0.0-3",
        "mariadb-env-14.0.0-3",
        "mariadb-env-15.0.0-3",
        "mariadb-env-16.0.0-3",
        "mariadb-env-15.0.0+16.0.0-3",
    ]


def test_all_is_taken_when_nothing_is_said() -> None:
    assert chosen(None, Axes()) == chosen("all", Axes())


def test_smoke_is_one_of_each_kind() -> None:
    assert names(chosen("smoke", Axes())) == [
        "galera-env-3",
        "mariadb-etcd-3",
        "mariadb-env-15.0.0+16.0.0-3",
    ]


def test_options_make_the_product() -> None:
    axes = Axes(["mariadb,galera"], ["env", "etcd"], [], ["1", "3"])
    found = chosen(None, axes)
    assert len(found) == 8
    assert found[1] == Cell("mariadb-env-3", "mariadb", "env", (), 3)
    assert found[-1] == Cell("galera-etcd-3", "galera", "etcd", (), 3)


def test_a_cell_is_what_pytest_is_told() -> None:
    (cell,) = chosen(None, Axes([], [], ["15.0.0+16.0.0"], []))
    assert " ".join(cell.options) == (
        "--replicas 3 --database mariadb --config-source env --placement=15.0.0 --placement=16.0.0"
    )


def test_the_same_twice_is_one_cell() -> None:
    assert names(chosen(None, Axes(["galera", "galera,galera"]))) == ["galera-env-3"]


def test_checkouts_of_one_name_have_cells_of_two(tmp_path: Path) -> None:
    places = [f"{tmp_path}/a/placement", f"{tmp_path}/b/placement"]
    found = chosen(None, Axes(placements=places))
    assert names(found) == ["mariadb-env-placement-3", "mariadb-env-placement-3-2"]


def test_the_current_directory_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my placement"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert names(chosen(None, Axes(placements=["."]))) == ["mariadb-env-my_placement-3"]


def test_only_takes_a_part() -> None:
    assert names(chosen("all", Axes(), "galera")) == ["galera-env-3", "galera-multiwriter-env-3"]


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (
            Axes(["mariad"]),
            "--database mariad: there is no such database. Did you mean mariadb? "
            "Give mariadb, mariadb-10.11, galera, galera-multiwriter.",
        ),
        (
            Axes(["mariadb,x"]),
            "--database x: there is no such database. "
            "Give mariadb, mariadb-10.11, galera, galera-multiwriter.",
        ),
        (
            Axes([], ["etc"]),
            "--config-source etc: there is no such config source. Did you mean etcd? "
            "Give env, file, etcd.",
        ),
        (
            Axes([], [], ["15.0.0,"]),
            "--placement 15.0.0, has an empty value. Give one, or several with , between them.",
        ),
        (Axes([], [], [], ["0"]), "--replicas 0 cannot be run. Give a number from 1 to 16."),
        (Axes([], [], [], ["3,17"]), "--replicas 17 cannot be run. Give a number from 1 to 16."),
        (Axes([], [], [], ["-1"]), "--replicas -1 cannot be run. Give a number from 1 to 16."),
        (Axes([], [], [], ["x"]), "--replicas x cannot be run. Give a number from 1 to 16."),
    ],
)
def test_a_value_that_cannot_be_is_refused(axes: Axes, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        chosen(None, axes)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("given", "only", "message"),
    [
        (
            "smok",
            None,
            "--cells smok: there is no such set of cells, and no such file. Did you mean smoke? "
            "Give all, smoke.",
        ),
        (
            "cells.yaml",
            None,
            "--cells cells.yaml cannot be read: No such file or directory. "
            "Give a file, or one of all, smoke.",
        ),
        (".", None, "--cells . cannot be read: Is a directory. Give a file, or one of all, smoke."),
        (
            "smoke",
            "postgres",
            "--only postgres is found in no cell's name. Give a part of one of galera-env-3, "
            "mariadb-etcd-3, mariadb-env-15.0.0+16.0.0-3.",
        ),
        (
            "all",
            "(",
            "--only ( is no regular expression: missing ), unterminated subpattern at position 0. "
            "Give one, e.g. --only galera.",
        ),
    ],
)
def test_cells_that_are_not_there_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: str,
    only: str | None,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as refused:
        chosen(given, Axes(), only)
    assert str(refused.value) == message


def test_a_name_and_options_are_refused() -> None:
    with pytest.raises(UsageError, match="--cells all says which cells there are, and so do"):
        chosen("all", Axes(["galera"]))


FILE = """
- name: usual
- {name: Two_writers, database: galera-multiwriter, replicas: 5, suite: [upstream, gabbits]}
- {config-source: etcd, placement: 15.0.0}
- {placement: [15.0.0, 16.0.0], replicas: 1}
"""


def test_a_file_names_cells(tmp_path: Path) -> None:
    file = tmp_path / "cells.yaml"
    file.write_text(FILE)
    assert chosen(str(file), Axes()) == [
        Cell("usual"),
        Cell("Two_writers", "galera-multiwriter", replicas=5, suites=("upstream", "gabbits")),
        Cell("mariadb-etcd-15.0.0-3", config_source="etcd", placements=("15.0.0",)),
        Cell("mariadb-env-15.0.0+16.0.0-1", placements=("15.0.0", "16.0.0"), replicas=1),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "- {",
            "f.yaml:1 is no YAML: expected the node content, but found '<stream end>'. Write a",
        ),
        ("- a: \0", "f.yaml is no YAML: special characters are not allowed. Write a list of cells"),
        ("", "f.yaml has no list of cells. Write a list of cells, as docs/matrix.md shows."),
        ("{}", "f.yaml has no list of cells. Write a list of cells, as docs/matrix.md shows."),
        ("- one", "f.yaml, cell 1 is no mapping: 'one'. Give it name, database, config-source"),
        (
            "- {}\n- databse: galera",
            "f.yaml, cell 2: databse: there is no such key. Did you mean database? Give name,",
        ),
        (
            "- database: galer",
            "f.yaml, cell 1: database galer: there is no such database. Did you mean galera?",
        ),
        ("- config-source: 1", "f.yaml, cell 1: config-source 1: there is no such config source."),
        ("- replicas: 0", "f.yaml, cell 1: replicas cannot be run. Give a number from 1 to 16."),
        (
            "- placement: 16.0",
            "f.yaml, cell 1: placement: 16.0 makes no sense. Give a text, in quotes if it looks "
            "like a number, or a list.",
        ),
        ("- suite: {a: b}", "f.yaml, cell 1: suite: {'a': 'b'} makes no sense."),
        (
            "- name: ../up",
            "f.yaml, cell 1: name: '../up' makes no sense. Give letters, digits, . _ + and -, up "
            "to 80 of them.",
        ),
        ("- {}\n- {}", "f.yaml has several cells mariadb-env-3. Give each a name of its own."),
    ],
)
def test_a_file_without_sense_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f.yaml").write_text(text)
    with pytest.raises(UsageError) as refused:
        chosen("f.yaml", Axes())
    assert message in str(refused.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"f.yaml cannot be read: it is no text\. Give a file"):
        chosen(str(tmp_path / "f.yaml"), Axes())


def test_what_is_built_in_can_be_run() -> None:
    for make in cells.BUILT_IN.values():
        for cell in make():
            assert cells.NAME.fullmatch(cell.name)
            assert cell.database in vars(cells)["DATABASES"]
            assert cell.config_source in vars(cells)["SOURCES"]
