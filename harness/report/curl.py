"""Makes a shell command that repeats a request."""

import base64
from shlex import quote

from harness.core.exchange import Request
from harness.core.redact import SECRET_HEADERS

# Headers that curl sets itself, or that do not change the answer.
LEFT_OUT = frozenset({"user-agent", "accept-encoding", "connection", "content-length", "host"})
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
GLOB = frozenset("[]{}")
# A longer body is not put into the command. Bytes.
LONGEST = 8192
BODY_FILE = "body"


def command(request: Request) -> str:
    """A curl command with the request's method, headers and body; $TOKEN stands for any token.

    A body that is too long is read from a file, which a comment tells the user to write.
    """
    parts = ["curl -sS -i", *_globbing(request.url), *_method(request)]
    given = {name.lower() for name in request.headers}
    for name, value in request.headers.items():
        parts += _header(name, str(value))
    before = ""
    if request.body or request.method in WITH_BODY:
        if "content-type" not in given:
            # Without this, curl would add a content-type.
            parts.append("-H 'content-type:'")
        before, data = _data(request.body)
        parts.append(data)
    return before + " ".join([*parts, quote(request.url)])


def _data(body: bytes) -> tuple[str, str]:
    """Text before the curl command, and curl's option that sends the body unchanged."""
    if len(body) > LONGEST:
        where = f"# Put the body, {len(body)} bytes, into a file named {BODY_FILE} before.\n"
        return where, f"--data-binary @{BODY_FILE}"
    if _binary(body):
        return f"echo {base64.b64encode(body).decode()} | base64 -d | ", "--data-binary @-"
    # --data-binary would read a file if the body begins with @; --data-raw keeps line ends, too.
    return "", f"--data-raw {quote(body.decode())}"


def _globbing(url: str) -> list[str]:
    """The option -g for a URL with brackets or braces, of which curl would make several URLs."""
    return ["-g"] if GLOB.intersection(url) else []


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
    # `name;` sends an empty header; `name:` would remove it.
    return [f"-H {quote(f'{name}: {value}' if value else f'{name};')}"]


def _binary(body: bytes) -> bool:
    try:
        return "\0" in body.decode()
    except UnicodeDecodeError:
        return True
