"""Which trees of placement are kept, and which Python runs their fixtures."""

import os
import sys
from pathlib import Path

import pytest

from harness.placements import package_index, source_trees
from harness.placements.package_index import Answer
from harness.placements.specs import resolve
from tests.fakes.package_index import Index, tree


def test_old_fixtures_get_an_interpreter_of_their_own(
    tmp_path: Path, of_the_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, ...]] = []

    def uv(*words: str, stdin: str = "") -> Answer:
        made.append(words)
        if words[0] == "venv":
            python = Path(words[-1]) / "bin/python"
            python.parent.mkdir(parents=True)
            python.touch()
        return Answer(0, "")

    monkeypatch.setattr(package_index, "uv", uv)
    module = "placement/tests/functional/fixtures/gabbits.py"
    old = tree(tmp_path / "old", version="14.0.0", name=None, requirements=None)
    python = source_trees.interpreter_for(old / module)
    assert python == source_trees.interpreter_for(old / module)
    assert python.startswith(str(tmp_path / "state/.placements/environments/"))
    assert [words[0] for words in made] == ["venv", "pip"]
    assert {"oslotest", "wsgi-intercept", "oslo.config>=6.7.0", "2025-10-15"} <= set(made[1])
    new = tree(tmp_path / "new", version="16.0.1", name=None)
    assert source_trees.interpreter_for(new / module) == sys.executable


def test_the_tree_that_was_used_longest_ago_is_removed_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_trees, "KEPT", 2)
    trees = tmp_path / "state/.placements/trees"
    for hours, version in enumerate(("13.0.0", "14.0.0")):
        resolve(version)
        os.utime(trees / version, (hours * 3600, hours * 3600))
    resolve("13.0.0")
    resolve("15.0.0")
    assert {path.name for path in trees.iterdir()} == {"13.0.0", "15.0.0"}
