"""The record of known defects: what it names is known, where it names it; all else is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.consistency import integrity
from harness.consistency.check import Checked
from harness.consistency.history import History
from harness.consistency.judge import (
    NO_SERVER_ERROR,
    Judgement,
    Report,
    Verdict,
    Violation,
    judge,
    known_names,
)
from harness.consistency.known import Known, record
from harness.consistency.known_runs import Occurrence, occurrences
from harness.consistency.workloads import WORKLOADS
from harness.core.errors import UsageError
from harness.stack.settings.databases import DATABASES
from tests.unit.consistency.histories import history, op, rounds

ENTRY = """
defects:
- name: lost
  what: A write is lost.
  cause: unknown
  workloads: [capacity]
  databases: [mariadb-10.11]
  since: {since!r}
  until: {until!r}
  signs: [{{promise: it is kept, what: gone}}]
  command: placement-harness check --workload capacity
  seconds: 25
  always: true
  reproduced: {{}}
"""
GONE = Violation("it is kept", 0, "it is gone")


def of(tmp_path: Path, since: str = "", until: str = "") -> Path:
    path = tmp_path / "known.yaml"
    path.write_text(ENTRY.format(since=since, until=until))
    record.cache_clear()
    return path


def header(database: str = "mariadb-10.11", placement: str = "16.0.0") -> dict[str, Any]:
    return {"workload": "capacity", "database": database, "placements": [placement]}


def judged(given: History, path: Path, violation: Violation = GONE) -> Report:
    known = Known(given.header, record(path))
    return judge(given, ["it is kept"], lambda _: [violation], ["write"], known.name)


def test_what_the_record_names_is_known_and_no_failure(tmp_path: Path) -> None:
    report = judged(history(*rounds(op("write"), op("write")), **header()), of(tmp_path))
    assert report.judgement is Judgement.KNOWN
    assert report.judgement.exit_code == 0
    assert known_names(report) == ["lost"]


def test_what_is_known_elsewhere_alone_is_violated(tmp_path: Path) -> None:
    here = header("mariadb")
    report = judged(history(*rounds(op("write"), op("write")), **here), of(tmp_path))
    assert report.judgement is Judgement.VIOLATED
    assert Known(here, record(tmp_path / "known.yaml")).elsewhere(GONE) == "lost"


def test_a_known_violation_hides_no_other_of_its_promise(tmp_path: Path) -> None:
    given, path = history(*rounds(op("write"), op("write")), **header()), of(tmp_path)
    other = Violation("it is kept", 1, "another way")
    known = Known(given.header, record(path))
    report = judge(given, ["it is kept"], lambda _: [GONE, other], ["write"], known.name)
    assert report.judgement is Judgement.VIOLATED
    assert [one.what for one in report.verdicts[0].violations] == ["another way", "it is gone"]


def test_a_known_violation_decides_nothing_of_a_history_that_was_cut_off(tmp_path: Path) -> None:
    cut = history(op("write"), op("write"), complete=False, **header())
    assert judged(cut, of(tmp_path)).judgement is Judgement.NOT_DECIDED


@pytest.mark.parametrize(
    ("since", "until", "placement", "known"),
    [
        ("15", "", "14.0.0", False),
        ("15", "", "15.0.0", True),
        ("", "16.1", "16.0.0 (newest of 16)", True),
        ("", "16.1", "16.1.0+5 (checkout /src)", False),
    ],
)
def test_a_defect_is_known_between_its_versions(
    tmp_path: Path, since: str, until: str, placement: str, known: bool
) -> None:
    given = history(*rounds(op("write"), op("write")), **header(placement=placement))
    judgement = judged(given, of(tmp_path, since, until)).judgement
    assert (judgement is Judgement.KNOWN) is known


def test_every_entry_of_the_record_can_be_met_and_run() -> None:
    for defect in record():
        assert {*defect.workloads} <= {*WORKLOADS}, defect.name
        assert {*defect.databases} <= {*DATABASES}, defect.name
        assert {"date", "placement", "database", "times"} == {*defect.reproduced}, defect.name
        promises = {promise for name in defect.workloads for promise in WORKLOADS[name].promises}
        for sign in defect.signs:
            assert sign.promise in {*promises, NO_SERVER_ERROR, integrity.INTACT}, defect.name
        words = defect.command.split()
        assert words[:3] == ["placement-harness", "check", "--workload"], defect.name
        assert words[3] in defect.workloads, defect.name
    names = [defect.name for defect in record()]
    assert len(names) == len({*names})


def test_a_record_without_sense_names_the_entry(tmp_path: Path) -> None:
    path = of(tmp_path)
    path.write_text(path.read_text().replace("what: gone", "what: (gone"))
    with pytest.raises(UsageError, match="entry lost: missing \\)"):
        record(path)


def runs(*violations: Violation) -> tuple[list[float], Callable[[str, float], Checked]]:
    spans: list[float] = []

    def run(workload: str, seconds: float) -> Checked:
        spans.append(seconds)
        verdict = Verdict("it is kept", Judgement.KNOWN, violations)
        return Checked(Path("x"), {}, Report([verdict], {}))

    return spans, run


def test_a_defect_is_run_until_it_occurs(tmp_path: Path) -> None:
    spans, run = runs(Violation("it is kept", 0, "it is gone", known="lost"))
    defects = record(of(tmp_path))
    (found,) = occurrences(defects, "mariadb-10.11", ["16.0.0"], run, 120)
    assert (found.times, spans, found.judgement) == (1, [10], Judgement.KNOWN)


def test_a_defect_that_occurs_no_more_is_reported(tmp_path: Path) -> None:
    spans, run = runs()
    (found,) = occurrences(record(of(tmp_path)), "mariadb-10.11", ["16.0.0"], run, 120)
    assert spans == [10, 10, 5]
    assert found.judgement is Judgement.NOT_DECIDED
    assert "GONE       lost, mariadb-10.11: it always occurred within 25 s" in str(found)


def test_a_defect_of_another_database_is_not_run(tmp_path: Path) -> None:
    spans, run = runs()
    assert list(occurrences(record(of(tmp_path)), "mariadb", ["16.0.0"], run, 120)) == []
    assert spans == []


def test_a_defect_that_occurs_now_and_then_is_not_gone(tmp_path: Path) -> None:
    path = of(tmp_path)
    path.write_text(path.read_text().replace("always: true", "always: false"))
    (found,) = occurrences(record(path), "mariadb-10.11", ["16.0.0"], runs()[1], 120)
    assert isinstance(found, Occurrence)
    assert found.judgement is Judgement.KNOWN
    assert "not met" in str(found)
