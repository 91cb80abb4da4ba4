"""Renders a failed test: the problem, the exchange, a command that repeats it, and log lines."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from harness.core import redact
from harness.core.evidence import shortened
from harness.core.exchange import Exchange, Request, Response
from harness.report import _pytest_compat, curl

MOST = 2000
# Number of log lines that are shown for each container. A traceback through SQLAlchemy has 180
# lines; the reason is near its end.
LOG_LINES = 250


def render(
    problem: str,
    place: tuple[str, int],
    exchange: Exchange | None,
    shell_token: str | None,
    logs: Mapping[str, Sequence[str]],
    token: str,
    *,
    hint: str = "",
    one_line: bool = False,
) -> _pytest_compat.Failure:
    """The failure in pytest's form; ``place`` is the test's file and line, from 1.

    ``shell_token`` is a shell command that sets TOKEN; None if curl cannot reach the target.
    ``token`` is the run's own token, which the failure must not show. ``hint`` says more about the
    cause. With ``one_line`` pytest shows place and problem alone.
    """
    hidden = secrets_of(exchange, token)
    if exchange is not None:
        # gabbi's message ends with the body, which the section of the response shows anyway.
        problem = re.sub(r", (truncated )?response:\n.*", "", problem, count=1, flags=re.DOTALL)
    problem = redact.text(problem, hidden)
    parts = () if exchange is None else redacted(exchange, shell_token, logs, token, hint)
    return _pytest_compat.failure(problem, place, parts, one_line=one_line)


def redacted(
    exchange: Exchange,
    shell_token: str | None,
    logs: Mapping[str, Sequence[str]],
    token: str,
    hint: str = "",
) -> Iterator[tuple[str, str]]:
    """The sections, with all secrets hidden."""
    hidden = secrets_of(exchange, token)
    if hint:
        yield "what this is", redact.text(hint, hidden)
    for title, text in sections(exchange, shell_token, logs, token):
        yield title, redact.text(text, hidden)


def secrets_of(exchange: Exchange | None, token: str) -> set[str]:
    """The values of an exchange, and the run's token, that no report may show."""
    hidden = redact.secrets({"x-auth-token": token})
    if exchange is not None:
        answer = exchange.response.headers if exchange.response else {}
        hidden |= redact.secrets(exchange.request.headers, answer)
    return hidden


def sections(
    exchange: Exchange, shell_token: str | None, logs: Mapping[str, Sequence[str]], token: str
) -> Iterator[tuple[str, str]]:
    """Title and text of each part of an exchange's report."""
    yield "request", _request(exchange.request)
    took = f"{exchange.seconds * 1000:.1f} ms"
    if exchange.response is None:
        yield f"no answer in {took}", str(exchange.error)
    else:
        replica = f"replica {exchange.replica}, " if exchange.replica else ""
        yield f"response ({replica}{took})", _response(exchange.response)
    if shell_token is not None:
        sent = exchange.request.headers.get("x-auth-token", token)
        other = "" if sent == token else "# The test sent another token, which is not shown.\n"
        yield "again", f"{shell_token}\n{other}{curl.command(exchange.request)}"
    for source, lines in logs.items():
        yield f"log of {source}", "\n".join(shortened(lines, LOG_LINES))


def _request(request: Request) -> str:
    head = [f"{request.method} {request.url}", *_headers(request.headers)]
    return "\n".join(head + _body(request.body))


def _response(response: Response) -> str:
    head = [f"{response.status} {response.reason}", *_headers(response.headers)]
    return "\n".join(head + _body(response.body))


def _headers(headers: Mapping[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in redact.headers(headers).items()]


def _body(body: bytes) -> list[str]:
    """An empty line and the body, cut to MOST characters; JSON has one entry on each line."""
    if not body:
        return []
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return ["", f"({len(body)} bytes that are no text)"]
    with suppress(ValueError):
        text = json.dumps(redact.data(json.loads(text)), indent=2, ensure_ascii=False)
    if len(text) > MOST:
        text = f"{text[:MOST]}\n... {len(text) - MOST} more characters ..."
    return ["", text]
