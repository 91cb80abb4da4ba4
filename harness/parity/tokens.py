"""Cuts a text into what is the same on both sides, and values that its side has made up."""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_HEX = "[0-9a-fA-F]"
_UUID = rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
# The values that a side makes up, in the order in which they are looked for: the kind, its pattern,
# and a text or a pattern without which a text has no such value. Most texts have few kinds, and a
# pattern of these alone is four times as quick.
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("request_id", rf"\breq-{_UUID}", "req-"),
    # In a query, %3A or %2C may stand before a UUID, and their last character is no digit of it.
    (
        "uuid",
        rf"{_HEX}{{8}}-(?:(?<![0-9a-fA-F-]{_HEX}{{8}}-)|(?<=%{_HEX}{{10}}-))"
        rf"{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}(?![0-9a-fA-F-])",
        "-",
    ),
    ("id", rf"(?<!{_HEX}){_HEX}{{32}}(?!{_HEX})", rf"{_HEX}{{32}}"),
    ("origin", r"\bhttps?://[^/\s\"'<>\\]+", "://"),
    # Apache signs an answer to a request that names no host with its own address.
    ("server", r"(?<=Server at )\S+ Port \d+(?=</address>)", "</address>"),
    ("http_date", r"\b[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT", " GMT"),
    ("python_date", r"\bdatetime\.datetime\([\d, ]+\)", "datetime"),
    (
        "iso_date",
        r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?",
        r"-\d\d-\d\d[T ]\d\d:",
    ),
)
_HINTS = tuple(re.compile(hint) for _, _, hint in _KINDS)
TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern, _ in _KINDS))
TIMES = frozenset({"http_date", "python_date", "iso_date"})
# Words of the database itself, which name rows by ids that it has given out.
DATABASE_WORDS = re.compile(r"\((?:pymysql\.err|sqlite3)\.\w+\)")
INTEGER = re.compile(r"(?P<row>(?<![\w.])\d+)")
# Texts of fewer characters are cut once, and remembered.
SHORT = 200


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: literal, or a value that a side has made up, of this ``kind``."""

    kind: str
    text: str


def pieces(text: str) -> Sequence[Piece]:
    """The text, cut into literal parts and values that its side has made up."""
    # Most texts are headers, and most headers come again and again.
    return _short_pieces(text) if len(text) < SHORT else _pieces(text)


@functools.cache
def _token(present: tuple[bool, ...]) -> re.Pattern[str] | None:
    """The pattern of the kinds whose hints are present; None for none."""
    patterns = [
        f"(?P<{kind}>{pattern})"
        for (kind, pattern, _), is_present in zip(_KINDS, present, strict=True)
        if is_present
    ]
    return re.compile("|".join(patterns)) if patterns else None


@functools.lru_cache(4096)
def _short_pieces(text: str) -> Sequence[Piece]:
    return _pieces(text)


def _pieces(text: str) -> Sequence[Piece]:
    token = _token(tuple(hint.search(text) is not None for hint in _HINTS))
    parts = tuple(_cut(text, token)) if token else (Piece("literal", text),)
    if not DATABASE_WORDS.search(text):
        return parts
    return tuple(
        part
        for piece in parts
        for part in (_cut(piece.text, INTEGER) if piece.kind == "literal" else (piece,))
    )


def _cut(text: str, pattern: re.Pattern[str]) -> Iterator[Piece]:
    end = 0
    for match in pattern.finditer(text):
        if match.start() > end:
            yield Piece("literal", text[end : match.start()])
        yield Piece(match.lastgroup or "", match[0])
        end = match.end()
    if end < len(text):
        yield Piece("literal", text[end:])
