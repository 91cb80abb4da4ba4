"""A shell command that repeats a request."""

import base64
from shlex import quote

from harness.redact import SECRET_HEADERS
from harness.results import Request

# curl sends its own, or they do not matter for the answer.
LEFT_OUT = frozenset({"user-agent", "accept-encoding", "connection", "host"})
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def command(request: Request) -> str:
    """curl with the request's method, headers and whole body; $TOKEN stands for any token."""
    parts = ["curl -sS -i", *_method(request)]
    given = {name.lower() for name in request.headers}
    for name, value in request.headers.items():
        parts += _header(name, str(value))
    if request.body or request.method in WITH_BODY:
        if "content-type" not in given:
            # curl would add one.
            parts.append("-H 'content-type:'")
        parts.append("--data-binary " + ("@-" if _binary(request.body) else quote(_text(request))))
    line = " ".join([*parts, quote(request.url)])
    if _binary(request.body):
        return f"echo {base64.b64encode(request.body).decode()} | base64 -d | {line}"
    return line


def _method(request: Request) -> list[str]:
    if request.method == "GET" and not request.body:
        return []
    return ["-I"] if request.method == "HEAD" else [f"-X {quote(request.method)}"]


def _header(name: str, value: str) -> list[str]:
    if name.lower() in LEFT_OUT and (name.lower() != "host"):
        return []
    if name.lower() == "accept" and value == "*/*":
        return []
    if name.lower() in SECRET_HEADERS:
        return [f'-H "{name}: $TOKEN"']
    # `name:` alone would take the header away.
    return [f"-H {quote(f'{name}: {value}' if value else f'{name};')}"]


def _binary(body: bytes) -> bool:
    try:
        return "\0" in body.decode()
    except UnicodeDecodeError:
        return True


def _text(request: Request) -> str:
    return request.body.decode()
