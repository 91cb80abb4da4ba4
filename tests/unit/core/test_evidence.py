"""Output of programs and logs of containers, cut to their last lines."""

from harness.core.errors import StackError
from harness.core.evidence import LONGEST_LINE, last_lines, shortened


def test_the_last_lines_of_an_output_are_kept() -> None:
    assert last_lines("a\nb\nc\n", 2) == ["b", "c"]
    assert last_lines("a\n", 2) == ["a"]
    assert last_lines("") == []


def test_a_long_log_says_how_many_lines_are_left_out() -> None:
    assert shortened(["a", "b", "c"], 2) == ["... 1 earlier lines left out ...", "b", "c"]
    assert shortened(["a", "b"], 2) == ["a", "b"]
    assert shortened([], 2) == []


def test_a_very_long_line_is_cut_in_its_middle_wherever_lines_are_shown() -> None:
    line = "begin" + "x" * 10_000_000 + "end"
    for shown in (
        *(last_lines(line), shortened([line], 2), shortened(["a", "b", line], 2)[1:]),
        StackError("It died.", "Look.", evidence=[line]).evidence,
    ):
        assert len(shown[-1]) < LONGEST_LINE + 50
        assert shown[-1].startswith("beginx")
        assert shown[-1].endswith("xend")
        assert " characters left out " in shown[-1]
