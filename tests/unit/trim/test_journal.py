"""A trim that was killed asks nothing twice, and loses at most one verdict."""

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.trim.journal import Journal


def ask(journal: Journal, what: str, *about: str) -> bool:
    """Ask, and say whether the answer had to be found."""
    before = journal.asked
    assert journal.ask(what, about, lambda: {"about": [*about]}) == {"about": [*about]}
    return journal.asked > before


def test_what_is_known_is_not_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    assert ask(journal, "quick", "a", "b")
    assert not ask(journal, "quick", "a", "b")
    assert ask(journal, "all", "a", "b")
    again = Journal(path)
    assert len(again) == 2
    assert not ask(again, "quick", "a", "b")
    assert ask(again, "quick", "a")


@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_a_kill_in_the_middle_of_a_line_costs_that_line(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    for name in "abc":
        ask(journal, "quick", name)
    path.write_bytes(path.read_bytes()[:-cut])
    again = Journal(path)
    assert len(again) == 2
    assert not ask(again, "quick", "b")
    assert ask(again, "quick", "c")
    assert len(Journal(path)) == 3


def test_an_answer_that_fails_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "journal"

    def fail() -> dict[str, str]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Journal(path).ask("quick", (), fail)
    assert not len(Journal(path))


def test_a_line_that_is_no_verdict_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    ask(Journal(path), "quick", "a")
    path.write_text(f"nonsense\n{path.read_text()}")
    with pytest.raises(UsageError, match=r"journal:1 is no verdict"):
        Journal(path)
