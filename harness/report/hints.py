"""Says what a failed exchange shows of its cause, where that is not placement."""

from harness.core.exchange import Exchange
from harness.core.redact import SHORTEST

# Seconds after which the stack's Apache gives up a replica (ProxyTimeout in services/apache).
PROXY_SECONDS = 60.0
UNPROCESSED = "its answers have an x-openstack-request-id, which this one lacks."
UNREAD = (
    "A devstack's uwsgi leaves the bodies of some requests unread and closes its socket, at which "
    "Apache answers 503 or 502, or closes the connection. The cure is `post-buffering = 65536` in "
    "the uwsgi.ini of that placement, and a restart."
)
CANDIDATES = (
    "A query of many candidates takes that long: `placement-harness config set "
    "placement/max_allocation_candidates 1000` limits them, and "
    "placement/allocation_candidates_generation_strategy breadth-first spreads those that are left."
)
# placement's words to a claim without a consumer's type, from 1.38 on.
NO_TYPE = b"'consumer_type' is a required property"
LATEST = (
    "The suite asks for `placement latest`, and a claim needs a consumer_type from 1.38 on. An "
    "older suite runs with its own microversion: openstack-api-version: placement 1.37."
)


def hint(exchange: Exchange | None, *, replicas: bool, keystone: bool) -> str:
    """Lines about the cause of an exchange that failed a test; empty where it says nothing.

    ``replicas`` says that the target is a stack of the harness, ``keystone`` that it takes
    keystone's tokens.
    """
    if exchange is None:
        return ""
    response = exchange.response
    if response is None:
        return _without_answer(exchange, replicas)
    if response.status == 401 and keystone:
        return _token(exchange)
    if response.status == 400 and NO_TYPE in response.body and _asks_for_latest(exchange):
        return LATEST
    if response.status >= 500 and exchange.is_of_proxy:
        return _of_proxy(exchange, replicas)
    return ""


def _without_answer(exchange: Exchange, replicas: bool) -> str:
    error = exchange.error or ""
    if error.startswith("TimeoutError"):
        text = "The limit that was met is the client's (`timeout` of the test, 30 s by default)."
        return f"{text}\n{CANDIDATES}" if _asks_for_candidates(exchange) else text
    if exchange.is_closed and not replicas:
        return f"The server closed the connection without an answer. {UNREAD}"
    return ""


def _of_proxy(exchange: Exchange, replicas: bool) -> str:
    assert exchange.response is not None  # noqa: S101
    answered = f"The proxy gave this {exchange.response.status} itself, not placement: "
    if not replicas:
        return f"{answered}{UNPROCESSED} {UNREAD}"
    if exchange.seconds < PROXY_SECONDS - 1:
        return f"{answered}{UNPROCESSED} Its log below says why."
    text = (
        f"{answered}the replica had not answered within {PROXY_SECONDS:.0f} s, the limit of the "
        "stack's Apache (ProxyTimeout). The replica ends such a request soon after."
    )
    return f"{text}\n{CANDIDATES}" if _asks_for_candidates(exchange) else text


def _token(exchange: Exchange) -> str:
    token = _header(exchange, "x-auth-token")
    if not token or (len(token) >= SHORTEST and ":" not in token):
        return ""
    return (
        f"x-auth-token: {token} is for placement without keystone (noauth2); this target takes "
        "keystone's tokens. Write x-auth-token: $ENVIRON['SERVICE_TOKEN'] in the suite, or run it "
        "with --empty, which gives each file an empty placement and takes such tokens."
    )


def _header(exchange: Exchange, wanted: str) -> str:
    headers = {name.lower(): str(value) for name, value in exchange.request.headers.items()}
    return headers.get(wanted, "")


def _asks_for_latest(exchange: Exchange) -> bool:
    return _header(exchange, "openstack-api-version").split()[-1:] == ["latest"]


def _asks_for_candidates(exchange: Exchange) -> bool:
    return "/allocation_candidates" in exchange.request.url
