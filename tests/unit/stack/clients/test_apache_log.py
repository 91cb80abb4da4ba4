"""Reading the requests that replicas have served from Apache's log."""

import pytest

from harness.core.errors import StackError
from harness.stack.clients import apache_log
from harness.stack.model.state import StackState
from tests.fakes.engine import lists
from tests.fakes.machine import Machine

APACHE = lists("one-apache-1")
LOG = """
2026-02-03T04:05:06.700 replica=2-1 req-1 201 341 9500 "PUT /placement/traits/CUSTOM_A HTTP/1.1"
2026-02-03T04:05:06.710 replica=- - 201 900 100 "POST /identity/v3/auth/tokens HTTP/1.1"
2026-02-03T04:05:06.720 replica=1 - 502 341 12 "GET /placement/ HTTP/1.1"
[Tue Feb 03 04:05:06.789 2026] [proxy_uwsgi:error] AH10101: error parsing headers
"""


def test_requests_to_replicas_are_read_and_nothing_else(machine: Machine) -> None:
    (machine.path / "cat").symlink_to("/bin/cat")
    log = f"cat <<'END'\n{LOG}END\n"
    machine.has("docker", {"logs*--since*100.000*one-apache-1": log, "ps*": APACHE})
    served, failed = apache_log.exchanges(StackState("one"), 100)
    assert (served.replica, served.request_id) == ("2-1", "req-1")
    assert (served.request.method, served.request.url) == ("PUT", "/placement/traits/CUSTOM_A")
    assert (served.started, served.seconds) == (1770091506.7, 0.0095)
    assert failed.response is not None
    assert (failed.response.status, failed.replica, failed.request_id) == (502, "1", None)


def test_an_empty_log_is_no_request(machine: Machine) -> None:
    machine.has("docker", {"ps*": APACHE})
    assert apache_log.exchanges(StackState("one"), 100) == []


def test_a_log_that_cannot_be_read_is_an_error_with_dockers_reason(machine: Machine) -> None:
    said = "Error response from daemon: No such container: one-apache-1"
    machine.has("docker", {"logs*": f"echo '{said}' >&2; exit 1", "ps*": APACHE})
    with pytest.raises(StackError) as raised:
        apache_log.exchanges(StackState("one"), 100)
    assert raised.value.problem == f"The log of one-apache-1 cannot be read: {said}."
