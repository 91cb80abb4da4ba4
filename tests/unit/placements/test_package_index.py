"""What the package index is asked for, and what is remembered of it."""

import subprocess
import sys

import pytest

from harness.core.errors import UnreachableError
from harness.placements import package_index
from harness.placements.specs import resolve
from tests.fakes.package_index import Index


def test_the_newest_of_a_series_is_asked_for_again_after_a_while(
    of_the_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve("13")
    asked = len(of_the_index.calls)
    resolve("13")
    assert len(of_the_index.calls) == asked
    monkeypatch.setattr(package_index, "FRESH", -1)
    resolve("13")
    assert len(of_the_index.calls) == asked + 1


def test_what_was_found_before_is_found_without_an_index(
    of_the_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_index, "FRESH", -1)
    known = [resolve(spec) for spec in ("15.0.0", "13")]
    of_the_index.there = False
    said: list[str] = []
    assert [resolve(spec, progress=said.append) for spec in ("15.0.0", "13")] == known
    assert said == ["the package index cannot be asked: using placement 13.0.1, found earlier"]


def test_an_index_that_does_not_answer_says_what_to_check(of_the_index: Index) -> None:
    of_the_index.there = False
    for spec in ("15.0.0", "14"):
        with pytest.raises(UnreachableError, match="The package index could") as caught:
            resolve(spec)
        assert "PIP_INDEX_URL or UV_DEFAULT_INDEX" in caught.value.remedy
        assert "Connection refused" in caught.value.evidence[-1]
        assert caught.value.exit_code == 70


REMEMBER = """
import sys
from harness.placements import package_index
for number in range(40):
    package_index.remember("versions", f"{sys.argv[1]}-{number}", "1.0.0")
"""


def test_two_processes_side_by_side_lose_none_of_each_others_entries() -> None:
    writers = [subprocess.Popen([sys.executable, "-c", REMEMBER, name]) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    entries = [f"{name}-{number}" for name in "ab" for number in range(40)]
    assert [key for key in entries if package_index.recall("versions", key) is None] == []
