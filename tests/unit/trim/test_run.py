"""What is tried, what is refused before anything is cut, and what is remembered."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import UsageError
from harness.footprint.loading import Loading, Module
from harness.footprint.measure import Footprint
from harness.trim.imported import Search
from harness.trim.modules import Graph, candidates
from harness.trim.observed import Observed
from harness.trim.run import Options, Trim
from harness.trim.suites import Ran

SITE = "/opt/placement/lib/python3.13/site-packages"
# Importer -> what it imports when placement is loaded.
IMPORTS = {
    "placement": ["big", "optional", "used", "small"],
    "big": ["big.inner", "big.other", "helper"],
    "big.inner": ["deep"],
    "optional": ["extra"],
    "used": ["used.part"],
}
NAMES = [*IMPORTS, "big.other", "helper", "deep", "extra", "used.part", "small"]
SIZE = 600_000


class FakeWorkspace:
    """A folder, in which no command is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def project(self, name: str, cuts: str, *, on_trial: bool = False) -> Path:
        return self.folder / name


class FakeTrials:
    """Replicas that need some modules, and importers that do without others.

    ``guarded`` are modules whose importers do without them. Nothing can be imported without
    ``vital``. The suites fail without ``needed``, and say so if ``speaks``.
    """

    def __init__(self, guarded: set[str], vital: set[str], needed: set[str]) -> None:
        self.guarded, self.vital, self.needed = guarded, vital, needed
        self.runs: list[Ran] = []
        self.asked: list[tuple[str, list[str]]] = []
        self.speaks = True

    def imports(self, sets: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
        self.asked += [("import", [*lines]) for lines in sets]
        return [self._import([*map(str.split, lines)]) for lines in sets]

    def _import(self, cuts: list[list[str]]) -> dict[str, Any]:
        missing = [name for kind, name in cuts if kind != "standin" and name not in self.guarded]
        missing += [name for _, name in cuts if name in self.vital]
        if missing:
            return {"error": f"CutError: {missing[0]} was cut", "modules": [], "early": []}
        gone = {name for _, name in cuts}
        fallen = {name for each in gone for name in GRAPH.without(each)}
        here = {*NAMES} - fallen | {name for kind, name in cuts if kind == "standin"}
        return {"error": None, "modules": sorted(here), "early": []}

    def suites(self, cuts: Sequence[str], chosen: list[str]) -> Mapping[str, Any]:
        what = "all" if len(chosen) == 1 else "quick"
        return self._run(what, cuts)

    def upstream(self, cuts: Sequence[str]) -> Mapping[str, Any]:
        return self._run("upstream", cuts)

    def _run(self, what: str, cuts: Sequence[str]) -> Mapping[str, Any]:
        self.asked.append((what, [*cuts]))
        wanted = [name for name in self.needed if any(line.endswith(f" {name}") for line in cuts)]
        failed = [f"suite::{name}" for name in wanted]
        used = [f"{name}.thing" for name in wanted] if self.speaks else []
        return {"tests": 10, "failed": failed, "used": used}

    def observe(self, chosen: list[str], *words: str) -> tuple[Ran, Observed]:
        noted = Observed()
        noted.add(["import big", f"serve {SITE}/used.py run"])
        return self.runs.pop(0), noted

    def observe_program(self, program: Path, stdin: bytes, *arguments: str) -> Observed:
        return Observed()


def footprint() -> Footprint:
    importers: dict[str, list[str]] = {}
    for importer, names in IMPORTS.items():
        for name in names:
            importers.setdefault(name, []).append(importer)
    modules = [Module(name, f"{SITE}/{name.replace('.', '/')}.py", 1, "") for name in NAMES]
    loading = Loading("3.13.5", 1.0, modules, importers, {}, [])
    return Footprint("placement", 0, [], loading, dict.fromkeys(NAMES, "Big 1.0"))


GRAPH = Graph(footprint())


def trim_in(folder: Path, seconds: float = 1000) -> tuple[Trim, list[str]]:
    said: list[str] = []
    workspace: Any = FakeWorkspace(folder)
    return Trim(workspace, Options(seconds=seconds), said.append), said


def search(trim: Trim, trials: Any) -> set[str]:
    sizes = dict.fromkeys(NAMES, SIZE)
    sizes["small"] = 10
    found = Search(trim, trials, GRAPH).run(candidates(GRAPH, sizes, {"used"}, ()))
    return {choice.line for choice in found}


def test_the_largest_that_passes_goes_and_takes_its_parts_along(tmp_path: Path) -> None:
    trim, _ = trim_in(tmp_path)
    trials = FakeTrials({"optional"}, set(), set())
    assert search(trim, trials) == {"guarded optional", "standin big", "standin used.part"}
    # What falls with a stand-in is not there either when suites run.
    lines = next(lines for what, lines in trials.asked if what == "all")
    assert {"unopened deep", "unopened helper", "unopened extra"} <= {*lines}


@pytest.mark.parametrize("speaks", [True, False])
def test_a_part_that_suites_need_stays_and_the_others_go(tmp_path: Path, speaks: bool) -> None:
    trim, _ = trim_in(tmp_path)
    trials = FakeTrials(set(), {"big"}, {"helper"})
    trials.speaks = speaks
    found = search(trim, trials)
    assert found == {"standin big.inner", "standin big.other", "standin optional"} | {
        "standin used.part"
    }
    assert trim.stays["helper"] == "suite::helper fails"
    assert trim.stays["big"].startswith("placement is not imported: CutError: big")


def test_a_trim_that_goes_on_asks_nothing_twice(tmp_path: Path) -> None:
    first = FakeTrials({"optional"}, set(), {"helper"})
    found = search(trim_in(tmp_path)[0], first)
    again = FakeTrials({"optional"}, set(), {"helper"})
    assert search(trim_in(tmp_path)[0], again) == found
    assert first.asked
    assert not again.asked


def test_without_time_nothing_is_tried(tmp_path: Path) -> None:
    trials = FakeTrials({"optional"}, set(), set())
    assert search(trim_in(tmp_path, seconds=-1)[0], trials) == set()
    assert not trials.asked


def test_suites_that_fail_with_nothing_cut_are_named_and_refused(tmp_path: Path) -> None:
    trim, _ = trim_in(tmp_path)
    trials: Any = FakeTrials(set(), set(), set())
    trials.runs = [Ran(10, ("a::x", "a::y")), Ran(10, ("a::x",))]
    with pytest.raises(UsageError, match=r"1 tests fail before anything is cut: a::x\."):
        trim.observe(trials)


def test_a_run_in_which_nothing_ran_is_refused(tmp_path: Path) -> None:
    trim, _ = trim_in(tmp_path)
    trials: Any = FakeTrials(set(), set(), set())
    trials.runs = [Ran(0, ())]
    with pytest.raises(UsageError, match="No request was seen of 0 tests"):
        trim.observe(trials)


def test_a_test_that_fails_now_and_then_is_left_out_and_reported(tmp_path: Path) -> None:
    trim, said = trim_in(tmp_path)
    trials: Any = FakeTrials(set(), set(), set())
    trials.runs = [Ran(10, ("a::y",)), Ran(10, ()), Ran(10, ()), Ran(10, ())]
    noted = trim.observe(trials)
    assert trim.flaky == ["a::y"]
    assert any("fail now and then: a::y" in line for line in said)
    assert "big" in noted.imports
    trials.needed = {"y"}
    trials._run = lambda what, cuts: {"tests": 10, "failed": ["a::y"], "used": []}
    assert not trim.passes(trials, ["standin z"], "quick")["failed"]
