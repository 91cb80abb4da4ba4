"""Prose that the check flags, and prose that it lets through."""

from pathlib import Path

import pytest

from tests import prose


def flagged(source: str, path: str = "harness/core/example.py") -> list[tuple[int, str]]:
    return [(finding.line, finding.text) for finding in prose.check(path, source)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Whoever waits is told.",
        "Read by who starts the container.",
        "Nobody answers on this port.",
        "Of one that serves.",
        "As an Apache has them not that was restarted.",
        "The same of a wheel.",
        "That of the stack.",
        "Those of a stack.",
        "One that serves.",
        "What each container of a stack holds.",
        "Where a setting comes from.",
    ],
)
def test_riddles_are_flagged_in_comments_docstrings_and_messages(sentence: str) -> None:
    assert flagged(f"# {sentence}\n") == [(1, sentence)]
    assert flagged(f'"""{sentence}"""\n') == [(1, sentence)]
    assert flagged(f'x = 1\nsay("{sentence} And more.")\n') == [(2, sentence)]


@pytest.mark.parametrize(
    "sentence",
    [
        "A user who may read settings.",
        "Developers see who changed them.",
        "The same stack is used twice.",
        "Those images are removed.",
        "What is missing has to be built.",
        "Where the disk is slow, code is read from a volume.",
        "Where is it?",
        "As soon as the port is open, requests flow.",
        "Of course not.",
        "Timeout of a request, whose body is small.",
        "Offers of both kinds. Asks the engine.",
    ],
)
def test_plain_sentences_pass(sentence: str) -> None:
    assert flagged(f"# {sentence}\n") == []


def test_a_sentence_is_found_where_it_begins() -> None:
    source = "x = 1\n\n# A timeout in\n# seconds. Of a\n# request.\n"
    assert flagged(source) == [(4, "Of a request.")]
    assert flagged('def f():\n    """First line.\n\n    Of a request.\n    """\n') == [
        (4, "Of a request.")
    ]


def test_a_trailing_comment_does_not_run_into_the_next_one() -> None:
    assert flagged("x = 1  # a port\n# Of a stack.\n") == [(2, "Of a stack.")]


def test_an_f_string_is_one_message() -> None:
    assert flagged('say(f"{name} is a port that nobody uses")\n') == [
        (1, "X is a port that nobody uses")
    ]


def test_directives_and_short_strings_are_no_prose() -> None:
    assert flagged("x = 1  # noqa: S101 (Of a test)\n") == []
    assert flagged('open("nobody")\n') == []


@pytest.mark.parametrize(
    "source",
    [
        "found = 1",
        "for one in x: pass",
        "def f(left): pass",
        "[told for told in x]",
        "own: int = 1",
    ],
)
def test_riddles_are_no_names_of_variables(source: str) -> None:
    assert [finding.advice for finding in prose.check("harness/x.py", source)] == [prose.NOUN]
    assert prose.check("tests/x.py", source) == []


def test_left_is_a_name_beside_right() -> None:
    assert prose.check("harness/x.py", "left, right = 1, 2") == []


def test_messages_are_read_outside_of_tests_alone() -> None:
    assert flagged('say("a port that nobody uses")', path="tests/unit/example.py") == []
    assert flagged('say("a port that nobody uses")', path="services/example.py") != []


def test_comments_of_other_languages_are_read() -> None:
    text = "FROM scratch\n# Files of\n# an image. Of the base.\nRUN true\n"
    assert flagged(text, path="services/apache/Dockerfile") == [(3, "Of the base.")]


def test_each_finding_is_listed_and_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "harness").mkdir()
    assert prose.main(tmp_path) == 0
    (tmp_path / "harness/a.py").write_text("# Of a stack.\n\n# Of a port.\n")
    (tmp_path / "harness/b.py").write_text("found = 1\n")
    assert prose.main(tmp_path) == 1
    out, _ = capsys.readouterr()
    assert "harness/a.py:1: 'Of a stack.': begin with the thing" in out
    assert "harness/a.py:3: 'Of a port.': begin with the thing" in out
    assert "harness/b.py:1: 'found': name the variable with a noun" in out
