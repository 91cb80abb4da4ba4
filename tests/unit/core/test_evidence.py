"""Output of programs and logs of containers, cut to their last lines."""

from harness.core.evidence import last_lines, shortened


def test_the_last_lines_of_an_output_are_kept() -> None:
    assert last_lines("a\nb\nc\n", 2) == ["b", "c"]
    assert last_lines("a\n", 2) == ["a"]
    assert last_lines("") == []


def test_a_long_log_says_how_many_lines_are_left_out() -> None:
    assert shortened(["a", "b", "c"], 2) == ["... 1 earlier lines left out ...", "b", "c"]
    assert shortened(["a", "b"], 2) == ["a", "b"]
    assert shortened([], 2) == []
