"""Bodies and logs in the report of a failure; tests/plugin has the report as a whole."""

from __future__ import annotations

import json

from harness.core.exchange import Exchange, Request, Response
from harness.report import failure


def sections(body: bytes, logs: dict[str, list[str]] | None = None) -> dict[str, str]:
    exchange = Exchange(
        "suite",
        "test",
        Request("GET", "http://host/"),
        Response(200, "OK", {}, body),
        started=0.0,
        seconds=0.0123,
    )
    return dict(failure.sections(exchange, None, logs or {}, "token"))


def test_json_has_an_entry_a_line() -> None:
    shown = sections(b'{"a": {"b": 1}}')["response (12.3 ms)"]
    assert shown == '200 OK\n\n{\n  "a": {\n    "b": 1\n  }\n}'


def test_a_body_is_cut_at_2000_characters() -> None:
    shown = sections(b"x" * 2500)["response (12.3 ms)"]
    assert shown == f"200 OK\n\n{'x' * 2000}\n... 500 more characters ..."
    whole = json.dumps(["x" * 1990])
    assert "more characters" not in sections(whole.encode())["response (12.3 ms)"]


def test_a_binary_body_is_only_measured() -> None:
    assert sections(b"\xff\xfe")["response (12.3 ms)"] == "200 OK\n\n(2 bytes that are no text)"


def test_an_answer_without_a_body_has_none() -> None:
    assert sections(b"")["response (12.3 ms)"] == "200 OK"


def test_of_a_long_log_the_last_lines_are_shown() -> None:
    lines = [f"line {number}" for number in range(failure.LOG_LINES + 10)]
    shown = sections(b"", {"apache": lines})["log of apache"].split("\n")
    assert shown[0] == "... 10 earlier lines left out ..."
    assert shown[1:] == lines[10:]


def rendered(problem: str, token: str = "run") -> str:
    request = Request("GET", "http://host/", {"x-auth-token": "test"})
    exchange = Exchange(
        "suite", "test", request, Response(200, "OK", {}, b"body"), started=0.0, seconds=0.0
    )
    return str(failure.render(problem, ("one.yaml", 3), exchange, "TOKEN=...", {}, token))


def test_the_body_is_shown_once() -> None:
    shown = rendered("'200' not found in ['404'], truncated response:\nbody\nof many\nlines")
    assert shown.startswith("'200' not found in ['404']\none.yaml:3\n---")
    assert shown.count("body") == 1


def test_a_token_that_is_not_the_runs_own_is_said_not_shown() -> None:
    assert "# The test sent another token, which is not shown.\ncurl" in rendered("wrong")
    assert "another token" not in rendered("wrong", token="test")
