"""Values that a side makes up are found in a text, whichever kinds it has."""

from __future__ import annotations

import itertools

import pytest

from harness.parity.tokens import TOKEN, pieces

ID = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
VALUES = {
    "request_id": f"req-{ID}",
    "uuid": ID,
    "id": "0123456789abcdef0123456789ABCDEF",
    "origin": "http://127.0.0.1:8778",
    "server": "192.168.224.4 Port 8080",
    "http_date": "Mon, 30 Nov 2026 17:09:25 GMT",
    "python_date": "datetime.datetime(2026, 11, 30, 17, 9)",
    "iso_date": "2026-11-30T17:09:25Z",
}


# The text around a value, where that decides.
AROUND = {"server": "<address>Apache Server at {}</address>"}


def written(kind: str) -> str:
    return AROUND.get(kind, '{{"a": "{}"}}').format(VALUES[kind])


def kinds(text: str) -> list[str]:
    return [piece.kind for piece in pieces(text) if piece.kind != "literal"]


@pytest.mark.parametrize("kind", VALUES)
def test_each_kind_is_found_alone(kind: str) -> None:
    assert kinds(written(kind)) == [kind]


@pytest.mark.parametrize("pair", [*itertools.permutations(VALUES, 2)])
def test_each_kind_is_found_beside_each_other(pair: tuple[str, str]) -> None:
    text = " | ".join(map(written, pair)) + " " + "x" * 300
    assert kinds(text) == [*pair]
    assert "".join(piece.text for piece in pieces(text)) == text
    assert [match.lastgroup for match in TOKEN.finditer(text)] == [*pair]


@pytest.mark.parametrize(
    "text", [f"a{ID}", f"{ID}0", f"-{ID}", f"{ID}-1", "plain", "", "a-b: http", f"xreq{ID[:8]}"]
)
def test_what_only_looks_like_an_id_is_literal(text: str) -> None:
    assert kinds(text) == []


def test_an_escaped_colon_before_an_id_is_no_part_of_it() -> None:
    assert kinds(f"in%3A{ID}%2C{ID}") == ["uuid", "uuid"]
