"""Histories on disk: what was written is read, what is broken is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.consistency.history import Operation, Outcome, Strike, Writer
from harness.consistency.reading import read
from harness.core.errors import UsageError


def written(path: Path, *, complete: bool = True) -> Path:
    writer = Writer(path, {"workload": "capacity", "seed": "1"}, 100.0)
    for process in range(2):
        number = writer.invoke(process, 0, "claim", ["r0/c", 1], process + 1, 100.25)
        operation = Operation(number, process, 0, "claim", 0.25)
        if process == 0:
            done = replace(operation, outcome=Outcome.OK, status=204, request="req-1")
            writer.complete(done, 100.5)
    writer.table("consumers", [["r0/c", 1]])
    writer.close(complete=complete)
    return path


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    history = read(written(tmp_path / "h.jsonl"))
    first, second = history.operations
    assert (first.outcome, first.begin, first.end, first.status) == ("ok", 0.25, 0.5, 204)
    assert (first.value, first.replica, first.request) == (["r0/c", 1], 1, "req-1")
    assert (second.outcome, second.end) == ("info", None)
    assert history.tables == {"consumers": [("r0/c", 1)]}
    assert history.complete


def test_faults_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    writer = Writer(path, {"workload": "capacity"}, 100.0)
    met = Strike("pause-replica", "placement-1", 101.0, 101.5, 103.0)
    writer.strike(met)
    writer.strike(replace(met, fault="cut-replica-database"), met=False)
    writer.close(complete=True)
    assert read(path).strikes == [Strike("pause-replica", "placement-1", 1.0, 1.5, 3.0)]


def test_a_call_without_an_answer_has_an_unknown_outcome(tmp_path: Path) -> None:
    assert read(written(tmp_path / "h.jsonl")).operations[1].may_count


def test_a_history_that_was_cut_off_is_read_and_says_so(tmp_path: Path) -> None:
    path = written(tmp_path / "h.jsonl")
    path.write_text(path.read_text()[:-30])
    history = read(path)
    assert not history.complete
    assert len(history.operations) == 2
    assert history.tables == {}


def test_a_run_that_was_stopped_leaves_an_incomplete_history(tmp_path: Path) -> None:
    assert not read(written(tmp_path / "h.jsonl", complete=False)).complete


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('[1,"ok"', '[7,"ok"'),
        ('[1,"ok"', '[1,"okay"'),
        ('[2,1,0', '[1,1,0'),
        ('"end":2', '"end":3'),
        ('[1,"ok",500000', '[1,"ok",100000'),
        ('[1,0,0,"claim"', '[1,0,"claim"'),
        ('{"header"', '{header'),
    ],
)  # fmt: skip
def test_an_edited_history_is_refused_with_its_line(tmp_path: Path, old: str, new: str) -> None:
    path = written(tmp_path / "h.jsonl")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(UsageError, match=r"line \d is no line of a history.*cannot be judged"):
        read(path)


@pytest.mark.parametrize("text", ["", '{"invoke": 1}'])
def test_a_file_that_is_no_history_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "h.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match="it is no history"):
        read(path)


def test_a_history_is_never_overwritten(tmp_path: Path) -> None:
    path = written(tmp_path / "h.jsonl")
    with pytest.raises(FileExistsError):
        Writer(path, {}, 0.0)
