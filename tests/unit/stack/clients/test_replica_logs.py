"""Which of its containers' log lines belong to a request."""

import pytest

from harness.core.exchange import Exchange, Request, Response
from harness.stack.clients import replica_logs
from harness.stack.model.state import StackState
from tests.fakes.engine import lists
from tests.fakes.machine import Machine

HEAD = "2026-02-03 04:05:06.789 7 ERROR placement.fault_wrap"
OTHER = "2026-02-03 04:05:06.790 7 INFO placement.requestlog [None req-2 - -] GET /other"
TRACED = [
    f"{HEAD} [None req-1 admin -] Placement API unexpected error: no",
    "[SQL: SELECT 1]: RuntimeError: no",
    f"{HEAD} Traceback (most recent call last):",
    f'{HEAD}   File "handler.py", line 3, in handle',
    f"{HEAD} RuntimeError: no",
    f"{HEAD} ",
]
ACCESS = '2026-02-03T04:05:06.700 replica=2 - 502 341 9 "GET /placement/traits?name=in:A HTTP/1.1"'
ERROR = "[Tue Feb 03 04:05:06.789 2026] [proxy_uwsgi:error] AH10101: error parsing headers"


def exchange(headers: dict[str, str] | None = None, *, answered: bool = True) -> Exchange:
    request = Request("GET", "http://127.0.0.1:1/placement/traits?name=in:A")
    response = Response(502, "Bad Gateway", headers or {}, b"") if answered else None
    return Exchange("suite", "test", request, response, 1770091506.7, 2.0)


def says(machine: Machine, **containers: list[str]) -> None:
    """Let containers have said these lines; of replicas to stderr, as oslo.log writes."""
    texts = {name: "\n".join(lines) for name, lines in containers.items()}
    answers = {
        f"logs*one-{name.replace('_', '-')}-*": f"cat >&2 <<'END'\n{text}\nEND\n"
        for name, text in texts.items()
    }
    machine.has("docker", {**answers, "ps*": lists("one-apache-1", "one-placement-2")})


@pytest.fixture(autouse=True)
def _with_cat(machine: Machine) -> None:
    (machine.path / "cat").symlink_to("/bin/cat")


def test_a_traceback_belongs_to_the_request_that_it_ended(machine: Machine) -> None:
    says(machine, apache=[ACCESS, ACCESS.replace(" - ", " req-1 ")], placement=[OTHER, *TRACED])
    headers = {"x-openstack-request-id": "req-1", "x-placement-replica": "2"}
    found = replica_logs.of_exchange(StackState("one"), exchange(headers))
    assert found == {"apache": [ACCESS.replace(" - ", " req-1 ")], "replica 2": TRACED}


def test_a_traceback_ends_where_another_line_begins() -> None:
    about = replica_logs.About("req-1")
    other_trace = f"{HEAD.replace('789', '790')} RuntimeError: another's"
    of_other = f"{HEAD} [None req-2 - -] Placement API unexpected error: no"
    mixed = [TRACED[0], OTHER, "of the other's", *TRACED[2:4], other_trace, of_other, TRACED[2]]
    kept = [line for line in mixed if about.has(line)]
    assert kept == [TRACED[0], *TRACED[2:4]]


def test_a_line_of_apaches_has_no_others() -> None:
    about = replica_logs.About("req-1")
    lines = [ACCESS.replace(" - ", " req-1 "), ERROR, "whatever"]
    assert [about.has(line) for line in lines] == [True, False, False]


def test_what_the_gateway_answers_itself_is_explained_by_that_time(machine: Machine) -> None:
    foreign = ACCESS.replace("GET /placement/traits", "PUT /placement/resource_providers/1")
    says(machine, apache=[foreign, ACCESS, ERROR], placement=["uwsgi: no workers", OTHER])
    found = replica_logs.of_exchange(StackState("one"), exchange({"x-placement-replica": "2"}))
    assert found == {"apache": [ACCESS, ERROR], "replica 2": ["uwsgi: no workers", OTHER]}
    call = next(call for call in machine.calls if "logs" in call)
    assert "--since 1770091505.700 --until 1770091509.700 one-apache-1" in call


def test_no_answer_is_explained_by_what_apache_said_then(machine: Machine) -> None:
    says(machine, apache=[ERROR])
    assert replica_logs.of_exchange(StackState("one"), exchange(answered=False)) == {
        "apache": [ERROR]
    }


def test_where_nothing_was_said_nothing_is_shown(machine: Machine) -> None:
    says(machine, apache=[])
    assert replica_logs.of_exchange(StackState("one"), exchange(answered=False)) == {}
