"""What a run is planned to have, by what it is to run."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.config.plan import Plan
from harness.core.errors import UsageError
from harness.plugin import setup


def config(folder: Path, workers: int) -> Any:
    options = {"tx": ["popen"] * workers, "dist": "loadfile" if workers else "no"}
    return SimpleNamespace(
        args=[str(folder)],
        invocation_params=SimpleNamespace(dir=folder),
        getoption=lambda name, default=None: options.get(name, default),
        getvalue=options.get,
        getini=lambda name: [],
    )


@pytest.mark.parametrize(
    ("workers", "lanes"), [(0, []), (1, []), (2, ["1", "2"]), (3, ["1", "2", "3"])]
)
def test_each_of_several_workers_has_a_placement_of_its_own(
    tmp_path: Path, workers: int, lanes: list[str]
) -> None:
    (tmp_path / "own.yaml").write_text("tests: []\n")
    plan = setup._with_lanes(config(tmp_path, workers), Plan())
    assert [lane.name for lane in plan.lanes] == lanes
    assert plan.profiles == ()


def test_more_workers_than_a_stack_has_lanes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("tests: []\n")
    assert len(setup._with_lanes(config(tmp_path, 16), Plan()).lanes) == 16
    with pytest.raises(UsageError, match=r"-n 64: .* 16 at most"):
        setup._with_lanes(config(tmp_path, 64), Plan())


def test_tests_in_python_share_the_stack(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("")
    assert setup._with_lanes(config(tmp_path, 2), Plan()).lanes == ()


@pytest.mark.parametrize("target", ["embedded", "https://cloud/placement"])
def test_other_targets_have_no_lanes(tmp_path: Path, target: str) -> None:
    (tmp_path / "own.yaml").write_text("tests: []\n")
    assert setup._with_lanes(config(tmp_path, 2), Plan(target=target)).lanes == ()


def test_placements_own_suites_are_not_for_somebodys_cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.suites.selection.fixtures", lambda files, empty: {"APIFixture"})
    with pytest.raises(UsageError, match="need an empty placement"):
        setup._refuse_full_placements(
            config(tmp_path, 0), Plan(target="https://cloud/placement"), None
        )
