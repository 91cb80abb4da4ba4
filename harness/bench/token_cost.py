"""Measures the cost of keystone's tokens: one replica of a stack checks them, another has noauth2.

Both replicas get the same requests. The measured time is Apache's wait for placement, from
Apache's log.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator

import requests

from harness.bench.figures import NAME, show
from harness.config.plan import FIRST_LANE, Lane, Plan
from harness.core.deadline import GLANCE, Deadline
from harness.core.errors import StackError
from harness.core.measurements import Progress
from harness.stack import project
from harness.stack.clients import apache_log
from harness.stack.handle import READY_SECONDS, Stack
from harness.stack.lifecycle import teardown, up
from harness.stack.model import composing
from harness.stack.model.lanes import ReplicaId

NOAUTH = "noauth2"
PLAN = Plan(
    replicas=1,
    name=f"{NAME}-tokens",
    lanes=(Lane(FIRST_LANE), Lane(NOAUTH)),
)
ROUNDS = 100
WARM_UP = 20
TOKENS, NO_TOKENS = "keystone's tokens", "noauth2"

Send = Callable[..., requests.Response]


def measure(progress: Progress) -> dict[str, dict[str, float]]:
    """Measure the milliseconds that a request of each kind takes with tokens and with noauth2."""
    progress("tokens beside noauth2")
    stack = up.bring_up(PLAN, progress)
    try:
        _switch_off(stack)
        return _compare(stack)
    finally:
        stack.unwatch()
        teardown.take_down(stack.state, progress)


def show_cost(cost: dict[str, dict[str, float]]) -> None:
    """Print the result of ``measure``, request by request and in all."""
    rows = []
    totals = {kind: {"all of them": sum(of.values())} for kind, of in cost.items()}
    for what in [*cost[TOKENS], "all of them"]:
        with_token, without = ({**cost[kind], **totals[kind]}[what] for kind in (TOKENS, NO_TOKENS))
        ratio = f"{with_token / without:.2f}"
        goal = "1.1" if what == "all of them" else ""
        rows.append((what, f"{with_token:.1f}", f"{without:.1f}", ratio, goal))
    columns = ("", TOKENS, NO_TOKENS, "ratio", "at most")
    show("milliseconds of a request in placement", columns, rows)


def _switch_off(stack: Stack) -> None:
    """Restart the second lane's replica without tokens, once it has served with them.

    The first lane's replica restarts, too: it runs in the same container.
    """
    described = project.load(stack.state)
    variables = described["services"][ReplicaId.first(1).service]["environment"]
    ((port, settings),) = json.loads(variables["LANES"]).items()
    variables["LANES"] = json.dumps({port: {**settings, "OS_API__AUTH_STRATEGY": NOAUTH}})
    project.save(stack.state, described)
    composing.start(stack.state)
    senders = _senders(stack).values()
    for _ in Deadline.after(READY_SECONDS).every(GLANCE):
        if all(send("GET", "/resource_providers").ok for send in senders):
            return
    raise StackError("A replica without tokens did not serve.", "See placement-harness logs.")


def _senders(stack: Stack) -> dict[str, Send]:
    return {
        TOKENS: _sender(stack.url(FIRST_LANE), stack.token()),
        NO_TOKENS: _sender(stack.url(NOAUTH), "admin"),
    }


def _compare(stack: Stack) -> dict[str, dict[str, float]]:
    senders = _senders(stack)
    kinds: dict[str, dict[str, str]] = defaultdict(dict)
    for number in range(WARM_UP + ROUNDS):
        for kind, send in senders.items():
            for what, answer in _requests(send):
                answer.raise_for_status()
                if number >= WARM_UP:
                    kinds[kind][answer.headers["x-openstack-request-id"]] = what
    exchanges = apache_log.exchanges(stack.state, 0)
    took = {exchange.request_id: exchange.seconds for exchange in exchanges}
    return {kind: _averages(ids, took) for kind, ids in kinds.items()}


def _averages(ids: dict[str, str], took: dict[str | None, float]) -> dict[str, float]:
    """Average milliseconds of each kind of request, from the seconds of each request id."""
    sums: dict[str, float] = defaultdict(float)
    for number, what in ids.items():
        if number not in took:
            raise StackError("Apache's log lacks requests.", "See placement-harness logs apache.")
        sums[what] += took[number] / ROUNDS * 1000
    return sums


def _sender(url: str, token: str) -> Send:
    session = requests.Session()
    session.trust_env = False
    session.headers.update({"x-auth-token": token, "openstack-api-version": "placement 1.39"})

    def send(method: str, path: str, body: object = None) -> requests.Response:
        return session.request(method, f"{url}{path}", json=body, timeout=30)

    return send


def _requests(send: Send) -> Iterator[tuple[str, requests.Response]]:
    """Send the reads and writes of one provider's and one consumer's life, as in a cloud."""
    provider, consumer, project = (str(uuid.uuid4()) for _ in range(3))
    path = f"/resource_providers/{provider}"
    inventory = {"resource_provider_generation": 0, "inventories": {"VCPU": {"total": 8}}}
    claim = {
        "allocations": {provider: {"resources": {"VCPU": 1}}},
        "project_id": project,
        "user_id": project,
        "consumer_generation": None,
        "consumer_type": "INSTANCE",
    }
    yield "GET /", send("GET", "/")
    named = {"name": provider, "uuid": provider}
    yield "POST /resource_providers", send("POST", "/resource_providers", named)
    yield "PUT inventories", send("PUT", f"{path}/inventories", inventory)
    yield "GET /traits", send("GET", "/traits")
    yield "GET /allocation_candidates", send("GET", "/allocation_candidates?resources=VCPU:1")
    yield "PUT /allocations", send("PUT", f"/allocations/{consumer}", claim)
    yield "GET usages", send("GET", f"{path}/usages")
    yield "DELETE /allocations", send("DELETE", f"/allocations/{consumer}")
    yield "DELETE /resource_providers", send("DELETE", path)
