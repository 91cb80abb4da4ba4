"""Reads suites as YAML, and finds the lines of their tests."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

EXAMPLE = """A suite looks like this:

    tests:
    - name: placement says which versions it has
      GET: /
      status: 200"""


MERGE = "tag:yaml.org,2002:merge"


class RepeatedKeyWarning(UserWarning):
    """A mapping in a suite has a key twice."""


class SuiteError(Exception):
    """A file is no suite. ``line`` counts from 0. With ``shape``, the message has an example."""

    def __init__(self, path: Path, line: int | None, problem: str, *, shape: bool = True) -> None:
        place = str(path) if line is None else f"{path}:{line + 1}"
        super().__init__(f"{place}: {problem}" + (f"\n{EXAMPLE}" if shape else ""))


def parse(path: Path, *, safe: bool) -> tuple[yaml.Node | None, Any]:
    """The file's node tree and data. Raises SuiteError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(path, None, f"cannot be read: {error}.", shape=False) from error
    for loader in _loaders(safe):
        try:
            return _load(loader, text, path)
        except yaml.YAMLError as error:
            failure = error
        except RecursionError as error:
            raise SuiteError(path, None, "its lists are too deep.", shape=False) from error
    mark = getattr(failure, "problem_mark", None)
    problem = getattr(failure, "problem", None) or str(failure)
    raise SuiteError(path, mark.line if mark else None, f"not YAML: {problem}.") from failure


def _load(loader: Any, text: str, path: Path) -> tuple[yaml.Node | None, Any]:
    reader = loader(text)
    try:
        node = reader.get_single_node()
        if node is None:
            return None, None
        # Before construction, which merges the keys of `<<` into the nodes.
        _report_repeated_keys(node, path)
        try:
            return node, reader.construct_document(node)
        except ValueError as error:
            line = _line_of_bad_value(loader, node)
            problem = f"a value cannot be read: {error}. Put it in quotes if it is text."
            raise SuiteError(path, line, problem, shape=False) from error
    finally:
        reader.dispose()


def _report_repeated_keys(root: yaml.Node, path: Path) -> None:
    """Raise SuiteError for a key of the suite itself that stands twice, and warn of all others.

    YAML keeps the last value alone: tests are lost, or an expectation is.
    """
    for node in _nodes(root):
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
                continue
            name, line = (key.tag, key.value), key.start_mark.line
            if name in lines:
                problem = (
                    f"the key {key.value!r} is in line {lines[name] + 1} already; "
                    "YAML keeps the last one alone."
                )
                if node is root:
                    raise SuiteError(path, line, problem, shape=False)
                _warn(path, line, problem)
            lines[name] = line


def _warn(path: Path, line: int, problem: str) -> None:
    try:
        warnings.warn_explicit(problem, RepeatedKeyWarning, str(path), line + 1)
    except RepeatedKeyWarning as error:
        # `-W error` asks for that.
        raise SuiteError(path, line, str(error), shape=False) from None


def _line_of_bad_value(loader: Any, root: yaml.Node) -> int | None:
    # A reader that has failed takes nodes for recursive ones.
    reader = loader("")
    for node in _nodes(root):
        if isinstance(node, yaml.ScalarNode):
            try:
                reader.construct_object(node)
            except ValueError:
                return node.start_mark.line
    return None


def _nodes(root: yaml.Node) -> Iterator[yaml.Node]:
    """All nodes, each once: an alias leads to a node again, and may lead to one that holds it."""
    known: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in known:
            continue
        known.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            waiting += [each for pair in reversed(node.value) for each in reversed(pair)]
        elif isinstance(node, yaml.SequenceNode):
            waiting += reversed(node.value)


def _loaders(safe: bool) -> list[Any]:
    """YAML loaders to try. The C loader is 9 times as fast, but lacks tags that a project adds."""
    if not safe:
        return [yaml.Loader]
    plain = yaml.SafeLoader.yaml_constructors == yaml.constructor.SafeConstructor.yaml_constructors
    fast = getattr(yaml, "CSafeLoader", None)
    # The Python loader, which gabbi uses, decides about text that the C loader refuses.
    return [fast, yaml.SafeLoader] if fast and plain else [yaml.SafeLoader]


def lines_of(node: yaml.Node | None, count: int) -> list[int]:
    """The line of each of ``count`` tests, from 0.

    A list that a project's own tag makes has no lines: all its tests have that of the tag.
    """
    lines: list[int] = []
    start = 0
    if isinstance(node, yaml.MappingNode):
        # A file's own list stands behind one that it merges, and replaces it.
        for key, value in node.value:
            if key.value == "tests":
                entries = value.value if isinstance(value, yaml.SequenceNode) else []
                start, lines = key.start_mark.line, [entry.start_mark.line for entry in entries]
    return lines if len(lines) == count else [start] * count
