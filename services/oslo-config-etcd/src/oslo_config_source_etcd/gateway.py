"""Reads all keys below a prefix, once, from etcd's HTTP gateway."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from etcd3gw import exceptions
from etcd3gw.client import Etcd3Client

from oslo_config_source_etcd.refusal import SourceError

SECONDS_BETWEEN_ATTEMPTS = 0.2
# API of etcd 3.4 and newer. Naming it saves etcd3gw a request for the version.
API_PATH = "/v3/"
# Codes of gRPC in the gateway's errors.
INVALID_ARGUMENT, PERMISSION_DENIED, FAILED_PRECONDITION = 3, 7, 9


@dataclass(frozen=True)
class Server:
    """Addresses and credentials of an etcd. ``seconds`` is the timeout of one request."""

    endpoints: Sequence[str]
    user: str | None = None
    password: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    seconds: float = 5.0


class NotYetError(Exception):
    """A failure that may pass: the parts of a stack start at the same time."""

    def __init__(self, error: SourceError) -> None:
        super().__init__(str(error))
        self.error = error


def snapshot(
    server: Server, prefix: str, seconds: float, waiting: Callable[[str], None]
) -> Mapping[str, bytes]:
    """Read all keys below a prefix, without the prefix, as they are at one moment.

    Waits up to ``seconds`` for etcd, its users and the first key; ``waiting`` is called once with
    the reason. Raises SourceError.
    """
    end = time.monotonic() + seconds
    told = False
    while True:
        try:
            return _from_any(server, prefix)
        except NotYetError as not_yet:
            if time.monotonic() >= end:
                error = not_yet.error
                raise SourceError(f"{error.problem} Waited {seconds:g} s.", error.remedy) from None
            if not told:
                waiting(not_yet.error.problem)
                told = True
        time.sleep(max(0.0, min(SECONDS_BETWEEN_ATTEMPTS, end - time.monotonic())))


def _from_any(server: Server, prefix: str) -> Mapping[str, bytes]:
    """Read from the first endpoint that answers."""
    problems = []
    for endpoint in server.endpoints:
        try:
            return _from_one(server, endpoint, prefix)
        except NotYetError as not_yet:
            problems.append(not_yet)
    if len(problems) == 1:
        raise problems[0]
    said = " ".join(one.error.problem for one in problems)
    raise NotYetError(SourceError(said, problems[0].error.remedy))


def _from_one(server: Server, endpoint: str, prefix: str) -> Mapping[str, bytes]:
    with requests.Session() as session:
        # A proxy, a .netrc file and a CA bundle of the environment are for other hosts.
        session.trust_env = False
        session.verify = server.ca_file or True
        if server.cert_file:
            session.cert = (server.cert_file, server.key_file or server.cert_file)
        url = urlsplit(endpoint)
        client = Etcd3Client(
            host=url.hostname or "",
            port=url.port or 2379,
            protocol=url.scheme,
            timeout=server.seconds,
            api_path=API_PATH,
            session=session,
        )
        try:
            if server.user:
                answer = client.post(
                    client.get_url("/auth/authenticate"),
                    json={"name": server.user, "password": server.password or ""},
                )
                session.headers["Authorization"] = answer["token"]
            # One request reads one moment. The range ends before the prefix with its slash replaced
            # by the next character. etcd3gw encodes a str as Latin-1.
            first = prefix.encode()
            end_of_range = (first[:-1] + b"0").decode("latin-1")
            found = client.get(first, metadata=True, range_end=end_of_range)
        except exceptions.Etcd3Exception as error:
            raise _explained(error, server, endpoint, prefix) from error
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise NotYetError(
                SourceError(
                    f"{endpoint} does not answer as etcd does: {_reason(error)}.",
                    "Give etcd's client address in `endpoints`.",
                )
            ) from error
    if not found:
        raise NotYetError(
            SourceError(
                f"{endpoint} has no key below {prefix}.",
                f"Write the settings to {prefix}GROUP/OPTION, or correct `prefix`.",
            )
        )
    return {_key(metadata["key"], prefix): value for value, metadata in found}


def _key(key: "str | bytes", prefix: str) -> str:
    text = key.decode(errors="replace") if isinstance(key, bytes) else key
    return text.removeprefix(prefix)


def _explained(
    error: exceptions.Etcd3Exception, server: Server, endpoint: str, prefix: str
) -> Exception:
    """The error for an exception of etcd3gw, with a remedy."""
    cause = error.__context__
    if isinstance(cause, requests.exceptions.SSLError) and "EOF" not in str(cause):
        return SourceError(
            f"the TLS connection to {endpoint} failed: {_reason(cause)}.",
            f"`ca_file` ({server.ca_file or 'not set'}) must hold the CA that signed etcd's "
            "certificate, which must name that host; `endpoints` must begin with http:// where "
            "etcd has no certificate; where it asks for one, `cert_file` and `key_file` must be a "
            "pair that it trusts.",
        )
    if isinstance(cause, requests.RequestException):
        return NotYetError(
            SourceError(
                f"{endpoint} cannot be reached: {_reason(cause)}.",
                "Start etcd, or correct `endpoints` (https:// where it has a certificate, else http://).",
            )
        )
    code, said = _answer(error)
    who = f"the user {server.user}" if server.user else "nobody, for no `user` is set,"
    if code == INVALID_ARGUMENT:
        return SourceError(
            f"{endpoint} refused {who}: {said}.",
            "Correct `user`, and `password` or `password_file`.",
        )
    if code == PERMISSION_DENIED:
        return SourceError(
            f"{endpoint} does not let {who} read {prefix}: {said}.",
            f"Grant it: etcdctl role grant-permission --prefix ROLE read {prefix}, or correct "
            "`prefix`.",
        )
    if code == FAILED_PRECONDITION:
        return NotYetError(
            SourceError(
                f"{endpoint} knows no users: {said}.",
                "Switch it on (etcdctl auth enable), or leave `user` out.",
            )
        )
    return NotYetError(
        SourceError(f"{endpoint} answers {said}.", "See etcd's log, or correct `endpoints`.")
    )


def _answer(error: exceptions.Etcd3Exception) -> tuple[int | None, str]:
    """Code and text of the gateway's error."""
    text = str(getattr(error, "detail_text", "") or error)
    try:
        body = json.loads(text)
        return body.get("code"), str(body.get("message") or body.get("error"))
    except (ValueError, AttributeError):
        return None, f"{error}: {text[:200]}"


def _reason(error: BaseException) -> str:
    """The innermost cause, without the layers that wrap it."""
    inner: object = error
    while True:
        deeper = getattr(inner, "reason", None)
        if not isinstance(deeper, BaseException):
            arguments = getattr(inner, "args", ())
            deeper = next((one for one in arguments if isinstance(one, BaseException)), None)
        if deeper is None:
            return f"{type(inner).__name__}: {inner}".rstrip(".")
        inner = deeper
