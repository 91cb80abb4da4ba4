"""A live placement that is checked by its URL: what a run has made there is read and deleted.

Its replicas and its database cannot be reached. So workloads that leave what no request removes are
refused (``LEAVES``), and rows are what requests show of them.
"""

import json
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from harness.config.plan import is_url
from harness.consistency.bodies import claim_body
from harness.consistency.client import Client
from harness.consistency.history import Writer
from harness.consistency.workloads import WORKLOADS
from harness.core.errors import TargetError, UsageError
from harness.core.exchange import Exchange, Request, Response
from harness.core.words import counted
from harness.targets.base import Target

# Clients for each workload on a live placement, unless told otherwise.
CLIENTS = 6
TIMEOUT = 60.0
# Passes over what is to be deleted: a parent can go only when its children have gone.
PASSES = 5
MICROVERSION = "placement 1.39"
# Workload -> what it would leave on a live placement for good.
LEAVES: Mapping[str, str] = {
    "provider-generation": "aggregates, which no request deletes",
    "failed-claims": "consumers without claims, which placement leaves behind",
    "races": "rows that refer to what is gone",
}


def required(
    target: str | None, allowed: bool, named: Sequence[str] | None, faults: Sequence[str]
) -> Sequence[str]:
    """The workloads for a live placement at this URL; none without a URL.

    ``named`` are those that the user has named, if any; ``allowed`` says that the user takes it for
    no accident. Raises UsageError for what a live placement is spared.
    """
    if target is None:
        if allowed:
            raise UsageError(
                "--on-live makes no sense without a live placement.", "Give its URL: --target URL."
            )
        return ()
    if not is_url(target):
        raise UsageError(
            f"--target {target} is no live placement.",
            "Give a URL. Without --target, a stack is started.",
        )
    if not allowed:
        raise UsageError(
            f"--target {target} is a live placement, and a check writes to it.",
            "Give --on-live if it may: what is written is deleted again, but for at most one "
            "project, one user and one consumer type, which no request deletes.",
        )
    if faults:
        raise UsageError(
            f"--fault {faults[0]} makes no sense with --target: a live placement gets no faults.",
            "Leave --fault away.",
        )
    for name in named or ():
        if name in LEAVES:
            raise UsageError(
                f"--workload {name} would leave {LEAVES[name]}: a live placement is spared that.",
                "Run it on a stack, or leave it out.",
            )
    return named or [name for name in WORKLOADS if name not in LEAVES]


class Ledger:
    """What a run may have made, noted from its requests, whatever came of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.providers: dict[str, None] = {}
        self.consumers: dict[str, None] = {}
        # Paths of custom traits and resource classes.
        self.customs: dict[str, None] = {}

    def observe(self, exchange: Exchange) -> None:
        request = exchange.request
        if request.method not in ("PUT", "POST"):
            return
        path = request.url.split("?")[0].split("/")
        body = json.loads(request.body) if request.body else {}
        with self._lock:
            if path[-1] == "resource_providers":
                self.providers[body["uuid"]] = None
            elif path[-2] == "allocations":
                self.consumers[path[-1]] = None
            elif path[-1] in ("allocations", "reshaper"):
                self.consumers |= dict.fromkeys(body.get("allocations", body))
            elif path[-2] in ("traits", "resource_classes"):
                self.customs["/".join(path[-2:])] = None


class Cloud:
    """A placement behind a URL. All clients use that URL; nothing is known of its replicas."""

    replicas = 1

    def __init__(self, target: Target) -> None:
        self._target = target
        self._ledger = Ledger()
        # Things whose rows were read before.
        self._read: set[str] = set()

    def client(self, process: int, writer: Writer) -> Client:
        """The client of this number."""
        token = {"x-auth-token": self._target.token()}
        transport = self._target.transport()
        client = Client(process, 1, lambda _: self._target.url, token, transport, writer)
        client.stream.subscribe(self._ledger)
        return client

    def check(self) -> None:
        self._target.check()

    def facts(self) -> dict[str, Any]:
        versions = [setting.source for setting in self._target.settings()][:1]
        return {"target": self._target.url, "placements": versions}

    def rows(self) -> dict[str, list[list[Any]]]:
        """Rows of what was made since the last call, as requests show them."""
        providers, customs = self._new(self._ledger.providers), self._new(self._ledger.customs)
        asker = _Asker(self._target)
        try:
            return {
                "providers": [*_providers(asker, providers)],
                "allocations": [*_allocations(asker, providers)],
                "custom traits": [*_customs(asker, customs, "traits")],
                "custom classes": [*_customs(asker, customs, "resource_classes")],
            }
        finally:
            asker.close()

    def _new(self, things: Iterable[str]) -> list[str]:
        new = [thing for thing in things if thing not in self._read]
        self._read |= {*new}
        return new

    def clean(self) -> int:
        """Delete what the runs have made; gives how many things. Raises TargetError for a rest."""
        ledger, asker = self._ledger, _Asker(self._target)
        things = [
            # Children were made after their parents.
            *(f"/resource_providers/{made}" for made in reversed(ledger.providers)),
            *(f"/{path}" for path in ledger.customs),
        ]
        waiting = things
        try:
            with _Sink(asker) as sink:
                for consumer in ledger.consumers:
                    asker.delete(f"/allocations/{consumer}")
                    # Placement leaves the consumers of some refused claims behind, without a claim.
                    sink.wash(consumer, generation=0)
                for number in range(PASSES):
                    waiting = [path for path in waiting if not asker.delete(path)]
                    for consumer in ledger.consumers if waiting and number == 0 else ():
                        # Claims whose consumer is gone.
                        sink.wash(consumer, generation=None)
        finally:
            asker.close()
        if waiting:
            raise TargetError(
                f"{counted(len(waiting), 'thing')} that this check has made on "
                f"{self._target.url} could not be deleted: "
                f"{', '.join(waiting[:3])}{', ...' if waiting[3:] else ''}.",
                "Delete them by DELETE requests to these paths, allocations first.",
            )
        self._ledger = Ledger()
        return len(things) + len(ledger.consumers)


def _providers(asker: "_Asker", providers: Sequence[str]) -> Iterator[list[Any]]:
    for provider in providers:
        shown = asker.get(f"/resource_providers/{provider}")
        if shown is not None:
            parent, root = shown["parent_provider_uuid"], shown["root_provider_uuid"]
            yield [provider, shown["name"], shown["generation"], parent, root, 0, 0]


def _allocations(asker: "_Asker", providers: Sequence[str]) -> Iterator[list[Any]]:
    for provider in providers:
        answer = asker.get(f"/resource_providers/{provider}/allocations") or {"allocations": {}}
        for consumer, claim in answer["allocations"].items():
            for class_, used in claim["resources"].items():
                yield [consumer, provider, class_, used]


def _customs(asker: "_Asker", paths: Sequence[str], kind: str) -> Iterator[list[Any]]:
    for path in paths:
        if path.startswith(kind) and asker.exists(f"/{path}"):
            yield [path.split("/")[1], 1]


class _Sink:
    """A provider of which consumers claim something, so that they can be deleted with the claim."""

    def __init__(self, asker: "_Asker") -> None:
        self._asker = asker
        self._uuid = str(uuid.uuid4())
        self._path = f"/resource_providers/{self._uuid}"

    def __enter__(self) -> "_Sink":
        name = f"placement-harness-{self._uuid}"
        self._asker.write("POST", "/resource_providers", {"uuid": self._uuid, "name": name})
        inventories = {"VCPU": {"total": 1_000_000}}
        body = {"resource_provider_generation": 0, "inventories": inventories}
        self._asker.write("PUT", f"{self._path}/inventories", body)
        return self

    def wash(self, consumer: str, generation: int | None) -> None:
        """Delete a consumer that is at this generation; None for one that is not there."""
        claim = claim_body({self._uuid: {"VCPU": 1}}, generation)
        if self._asker.write("PUT", f"/allocations/{consumer}", claim):
            self._asker.delete(f"/allocations/{consumer}")

    def __exit__(self, *_: object) -> None:
        if not self._asker.delete(self._path):
            raise TargetError(
                f"The provider {self._uuid} of the cleanup could not be deleted.",
                "Delete it by hand: openstack resource provider delete.",
            )


class _Asker:
    """Requests outside of the run: they are in no history."""

    def __init__(self, target: Target) -> None:
        self._url, self._transport = target.url, target.transport()
        self._headers = {
            "accept": "application/json",
            "content-type": "application/json",
            "openstack-api-version": MICROVERSION,
            "x-auth-token": target.token(),
        }

    def get(self, path: str) -> Any:
        """The answer; None for what is not there. Raises TargetError."""
        answer = self._send("GET", path)
        return json.loads(answer.body) if answer is not None else None

    def exists(self, path: str) -> bool:
        """Whether a thing is there. Raises TargetError."""
        return self._send("GET", path) is not None

    def write(self, method: str, path: str, body: Any) -> bool:
        """Whether a write was accepted."""
        try:
            return self._send(method, path, json.dumps(body).encode()) is not None
        except TargetError:
            return False

    def delete(self, path: str) -> bool:
        """Whether a thing is gone afterwards."""
        try:
            self._send("DELETE", path)
        except TargetError:
            return False
        return True

    def _send(self, method: str, path: str, body: bytes = b"") -> Response | None:
        request = Request(method, f"{self._url}{path}", self._headers, body)
        try:
            answer = self._transport.send(request, timeout=TIMEOUT)
        except OSError as error:
            raise self._problem(method, path, str(error)) from error
        if answer.status == 404:
            return None
        if answer.status >= 400:
            raise self._problem(method, path, f"{answer.status}")
        return answer

    def _problem(self, method: str, path: str, what: str) -> TargetError:
        return TargetError(
            f"{method} {self._url}{path} was answered with {what}.",
            "See that placement serves, and run the check again.",
        )

    def close(self) -> None:
        self._transport.close()
