"""Words that depend on a number."""

from harness.core.words import counted


def test_a_noun_follows_its_number() -> None:
    assert [counted(number, "difference") for number in (0, 1, 2)] == [
        *("0 differences", "1 difference", "2 differences")
    ]
    assert counted(1, "entry", "entries") == "1 entry"
    assert counted(2, "entry", "entries") == "2 entries"
