"""A failed exchange says what it shows of its cause, where that is not placement."""

from __future__ import annotations

import pytest

from harness.core.exchange import Exchange, Request, Response
from harness.report.hints import hint

HTML = {"content-type": "text/html; charset=iso-8859-1"}
CANDIDATES = "http://h/allocation_candidates?resources=VCPU:1"


def exchange(
    status: int | None,
    *,
    url: str = "http://h/traits",
    headers: dict[str, str] | None = None,
    token: str = "gAAAAA-some-long-token",
    seconds: float = 0.1,
    error: str | None = None,
) -> Exchange:
    response = None if status is None else Response(status, "", headers or {}, b"")
    return Exchange(
        "", "", Request("GET", url, {"X-Auth-Token": token}), response, 0, seconds, error
    )


def test_a_proxys_own_answer_on_a_cloud_is_told_from_placements() -> None:
    for status in (502, 503):
        told = hint(exchange(status, headers=HTML), replicas=False, keystone=True)
        assert f"The proxy gave this {status} itself, not placement" in told
        assert "post-buffering = 65536" in told
    closed = exchange(None, error="ConnectionResetError: GET http://h/traits: Connection aborted.")
    assert "post-buffering" in hint(closed, replicas=False, keystone=True)
    untrusted = exchange(None, error="ConnectionError: GET https://h/traits: no certificate.")
    assert hint(untrusted, replicas=False, keystone=True) == ""
    placements = {"content-type": "application/json", "x-openstack-request-id": "req-1"}
    assert hint(exchange(503, headers=placements), replicas=False, keystone=True) == ""


def test_the_limit_that_a_long_query_met_is_named_with_what_cures_it() -> None:
    late = exchange(502, url=CANDIDATES, headers=HTML, seconds=60.0)
    told = hint(late, replicas=True, keystone=True)
    assert "within 60 s, the limit of the stack's Apache (ProxyTimeout)" in told
    assert "placement/max_allocation_candidates" in told
    other = exchange(502, headers=HTML, seconds=60.0)
    assert "max_allocation_candidates" not in hint(other, replicas=True, keystone=True)
    given_up = exchange(None, url=CANDIDATES, error="TimeoutError: GET: no answer within 30 s")
    told = hint(given_up, replicas=True, keystone=True)
    assert "the client's (`timeout` of the test" in told
    assert "placement/max_allocation_candidates" in told


@pytest.mark.parametrize(
    ("token", "is_named"),
    [
        ("admin", True),
        ("user:project-id-of-many-characters", True),
        ("gAAAAA-some-long-token", False),
        ("", False),
    ],
)
def test_a_token_of_noauth2_is_named_with_what_to_write(token: str, is_named: bool) -> None:
    told = hint(exchange(401, token=token), replicas=True, keystone=True)
    assert ("$ENVIRON['SERVICE_TOKEN']" in told) is is_named
    assert hint(exchange(401, token=token), replicas=False, keystone=False) == ""


@pytest.mark.parametrize(("version", "is_named"), [("latest", True), ("1.39", False)])
def test_a_claim_of_an_older_suite_that_asks_for_the_latest_version_is_explained(
    version: str, is_named: bool
) -> None:
    body = b"JSON does not validate: 'consumer_type' is a required property"
    headers = {"OpenStack-API-Version": f"placement {version}"}
    request = Request("PUT", "http://h/allocations/1", headers)
    refused = Exchange("", "", request, Response(400, "", {}, body), 0, 0.1)
    told = hint(refused, replicas=True, keystone=True)
    assert ("openstack-api-version: placement 1.37" in told) is is_named


def test_placements_own_errors_need_no_hint() -> None:
    assert hint(exchange(409), replicas=True, keystone=True) == ""
    assert hint(None, replicas=True, keystone=True) == ""
