"""Checks that comments, docstrings and messages read as plain English.

python -m tests.prose    list the findings; exit code 1 if there are any
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
FILES = (
    "harness/**/*.py", "tests/**/*.py", "gabbits/*.yaml", "compose.yaml", "Makefile",
    "services/**/*.py", "services/**/*.sh", "services/**/*.c*f*", "services/**/*.yaml",
    "services/**/Dockerfile",
)  # fmt: skip

PEOPLE = re.compile(
    r"\b(users?|persons?|people|developers?|operators?|readers?|administrators?|admins?|callers?)\b",
    re.I,
)
PERSONAL = re.compile(r"\b(who|whom|whoever|nobody|somebody|someone|anybody|everybody)\b", re.I)
FINITE = re.compile(
    r"\b(is|are|was|were|has|have|had|does|do|did|can|could|may|might|must|will|would|shall|should"
    r"|needs?|stays?|goes|go|gets?|counts?|says?|takes?|makes?|means?|runs?|serves?|costs?"
    r"|comes?|ends?|begins?|starts?|belongs?|works?|fails?|wins?)\b",
    re.I,
)
TWICE = rf"{FINITE.pattern}.*{FINITE.pattern}"
# An opening, what exempts a sentence that begins with it, and the advice.
OPENINGS = (
    (r"Of (?!course\b)", r"\?$", "begin with the thing: 'Timeout of …', not 'Of …'"),
    (r"As (?!soon as|long as)", r",", "begin with the subject and its verb, not with 'As …'"),
    (r"(The same|That of)\b", FINITE.pattern, "name the thing: 'Content digest of …'"),
    (r"Those\b", rf"{FINITE.pattern}(?!.* that )", "name the things, not 'Those …'"),
    (
        r"One (that|of)\b",
        rf"{FINITE.pattern}.*{FINITE.pattern}",
        "name the thing, not 'One that …'",
    ),
    (r"What\b", rf"\?$|{TWICE}", "name the thing, not 'What …'"),
    (r"Where\b", r"\?$|,", "give the sentence a subject and a verb: 'Directory of …'"),
)
DIRECTIVE = re.compile(r"#!|#\s*(noqa|type:|fmt:|pragma)")
# A string with fewer is a label, or a name.
MESSAGE_SPACES = 3
# Characters of a sentence that a finding shows.
SHOWN = 60
NOUN = "name the variable with a noun: events, matches, remaining"
RIDDLES = frozenset({"said", "told", "found", "own", "left", "one", "asked"})


class Finding(NamedTuple):
    path: str
    line: int
    text: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text!r}: {self.advice}"


def check(path: str, source: str) -> list[Finding]:
    """The findings of one file, by line; messages and names are none of a test's."""
    names: list[tuple[int, str]] = []
    if path.endswith(".py"):
        tree = ast.parse(source)
        pieces = [*_comments(_in_python(source))]
        pieces += _literals(tree, messages=not path.startswith("tests/"))
        names = [*_variables(tree)] if path.startswith("harness/") else []
    else:
        pieces = [*_comments(_in_text(source))]
    # Two sides of a comparison are called left and right.
    riddles = RIDDLES - ({"left"} if any(name == "right" for _, name in names) else set())
    listed = [Finding(path, line, name, NOUN) for line, name in names if name in riddles]
    for start, piece in pieces:
        for line, sentence in _sentences(start, piece):
            text = sentence if len(sentence) < SHOWN else f"{sentence[:SHOWN]}…"
            listed += [Finding(path, line, text, advice) for advice in _advice(sentence)]
    return sorted(listed, key=lambda finding: finding.line)


def _advice(sentence: str) -> Iterator[str]:
    personal = PERSONAL.search(sentence)
    if personal and not PEOPLE.search(sentence):
        yield f"{personal[0]!r} is for people: name the process, the container or the test"
    for opening, exempt, advice in OPENINGS:
        if re.match(opening, sentence) and not re.search(exempt, sentence[1:]):
            yield advice


def _sentences(start: int, piece: str) -> Iterator[tuple[int, str]]:
    """Line and text of each sentence; an empty line and an indented one end a sentence, too."""
    for part in re.finditer(r"(?:(?!\n\s*\n|[.!?]\s|\n {4,}).)+[.!?]?", piece, re.S):
        text = part[0].lstrip()
        line = start + piece.count("\n", 0, part.end() - len(text))
        if text:
            yield line, " ".join(text.split())


def _comments(lines: Iterable[tuple[int, int, str]]) -> Iterator[tuple[int, str]]:
    """Line and text of each comment: consecutive lines of one column make one comment."""
    block: list[str] = []
    first = last = column = 0
    for line, here, text in lines:
        if DIRECTIVE.match(text):
            continue
        if block and (line, here) != (last + 1, column):
            yield first, "\n".join(block)
            block = []
        first = first if block else line
        last, column = line, here
        block.append(text.lstrip("# "))
    if block:
        yield first, "\n".join(block)


def _in_python(source: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and text of each comment token."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield *token.start, token.string


def _in_text(source: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and text of each line that is a comment to YAML, a shell, make or Docker."""
    for line, text in enumerate(source.splitlines(), 1):
        if text.lstrip().startswith("#"):
            yield line, text.index("#"), text.strip()


def _literals(tree: ast.Module, messages: bool) -> Iterator[tuple[int, str]]:
    """Line and text of each docstring and, if wanted, of each string that can be a message."""
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text is not None:
                yield node.body[0].lineno, text
                skipped.add(id(node.body[0].value))  # type: ignore[attr-defined]
        elif isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
        elif isinstance(node, ast.Constant) and not isinstance(node.value, str):
            skipped.add(id(node))
        if (
            not messages
            or id(node) in skipped
            or not isinstance(node, ast.JoinedStr | ast.Constant)
        ):
            continue
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in parts)
        if "\n" not in text and text.count(" ") >= MESSAGE_SPACES:
            yield node.lineno, text


def _variables(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


def findings(root: Path = ROOT) -> list[Finding]:
    """The findings of a whole tree."""
    paths = sorted({path for pattern in FILES for path in root.glob(pattern)})
    return [
        finding
        for path in paths
        for finding in check(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
    ]


def main(root: Path = ROOT) -> int:
    listed = findings(root)
    print(*listed, sep="\n", end="\n" if listed else "")
    print(f"prose: {len(listed)} findings")
    return 1 if listed else 0


if __name__ == "__main__":
    sys.exit(main())
