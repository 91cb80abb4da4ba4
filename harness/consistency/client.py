"""A client of a run: one process in Jepsen's sense, which makes one call at a time.

Each call goes to one replica by its direct address, and becomes one Exchange of the client's
stream; an observer of that stream writes the history.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.consistency.history import Operation, Outcome, Writer, is_preparation
from harness.core.exchange import Exchange, Request, Response
from harness.core.exchange_stream import ExchangeStream
from harness.targets.base import Transport

TIMEOUT = 60.0
# Longest detail that a history keeps, of a 500 and of a refusal.
DETAIL, SHORT_DETAIL = 200, 60
# First words of every 500, which say nothing.
UNEXPECTED = "The server has either erred or is incapable of performing the requested operation."
READS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Call:
    """A call: what the workload calls it, and the request. ``result`` picks from the answer."""

    kind: str
    value: Any
    method: str
    path: str
    body: Any = None
    result: Callable[[Any], Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Names:
    """UUIDs of a run's objects, made from their names: one seed gives the same ones each time."""

    def __init__(self, seed: str) -> None:
        self._space = uuid.uuid5(uuid.NAMESPACE_OID, seed)
        self._names: dict[str, str] = {}
        # Part of the names of the run's own traits and resource classes.
        self.tag = self.uuid("run").replace("-", "")[:8].upper()

    @property
    def made(self) -> Iterable[str]:
        """The UUIDs of all objects."""
        return self._names

    def uuid(self, name: str) -> str:
        """The UUID of an object."""
        made = str(uuid.uuid5(self._space, name))
        self._names[made] = name
        return made

    def name(self, value: Any) -> Any:
        """The name of the object with this UUID; other values as they are."""
        return self._names.get(value, value)


def outcome_of(method: str, response: Response | None, error: str) -> Outcome:
    """Whether a call was carried out: yes, no, or unknown.

    A read that was not answered changes nothing. A write that met 5xx, or no answer, may have been
    carried out, unless there was no connection to send it on.
    """
    if response is not None and response.status < 400:
        return Outcome.OK
    if method in READS or error.startswith("ConnectionRefused"):
        return Outcome.FAIL
    return Outcome.FAIL if response is not None and response.status < 500 else Outcome.INFO


class Recorder:
    """Observer of one client's stream: completes the client's call in the history."""

    def __init__(self, writer: Writer, process: int) -> None:
        self._writer = writer
        self._process = process
        # The call under way; None between two calls.
        self._call: Call | None = None
        self.operation = Operation(0, process, 0, "", 0.0)

    def invoke(self, call: Call, round_: int, replica: int, at: float) -> None:
        """Note that the client's next exchange belongs to this call."""
        number = self._writer.invoke(self._process, round_, call.kind, call.value, replica, at)
        self._call = call
        self.operation = Operation(
            number, self._process, round_, call.kind, at, call.value, replica
        )

    def observe(self, exchange: Exchange) -> None:
        """Complete the call that is under way."""
        if self._call is None:
            return
        response = exchange.response
        self.operation = replace(
            self.operation,
            end=exchange.end,
            outcome=outcome_of(self._call.method, response, exchange.error or ""),
            status=response.status if response else None,
            request=exchange.request_id or "",
            result=_result(self._call, response),
            error=exchange.error or _refusal(response),
        )
        self._writer.complete(self.operation, exchange.end)
        self._call = None


class Client:
    """Makes calls, one at a time, from one thread. ``replica`` is the one that it asks."""

    def __init__(
        self,
        process: int,
        replica: int,
        url: Callable[[int], str],
        headers: Mapping[str, str],
        transport: Transport,
        writer: Writer,
    ) -> None:
        self.process = process
        self.replica = replica
        self.round = 0
        # Whether all preparations since this was set have succeeded.
        self.is_prepared = True
        self.stream = ExchangeStream(f"client {process}")
        self._url = url
        self._headers = {
            "accept": "application/json",
            "content-type": "application/json",
            "openstack-api-version": "placement latest",
            **headers,
        }
        self._transport = transport
        self._recorder = Recorder(writer, process)
        self.stream.subscribe(self._recorder)

    def do(self, call: Call, replica: int | None = None) -> Operation:
        """Make a call, once; give what became of it. An answer that never came raises nothing."""
        number = replica or self.replica
        body = b"" if call.body is None else json.dumps(call.body).encode()
        request = Request(
            call.method, f"{self._url(number)}{call.path}", {**self._headers, **call.headers}, body
        )
        started, begin = time.time(), time.perf_counter()
        self._recorder.invoke(call, self.round, number, begin)
        response, error = None, None
        try:
            response = self._transport.send(request, timeout=TIMEOUT)
        except OSError as failure:
            error = f"{type(failure).__name__}: {failure}"
        seconds = time.perf_counter() - begin
        exchange = Exchange(
            f"round {self.round}", call.kind, request, response, started, seconds, error, begin
        )
        self.stream.publish(exchange)
        if self.stream.failures:
            # A history with holes proves nothing.
            raise self.stream.failures[0][1]
        operation = self._recorder.operation
        self.is_prepared &= operation.ok or not is_preparation(operation)
        return operation

    def close(self) -> None:
        self._transport.close()


def _result(call: Call, response: Response | None) -> Any:
    if call.result is None or response is None or response.status >= 400:
        return None
    return call.result(json.loads(response.body) if response.body else None)


def _refusal(response: Response | None) -> str:
    """Code and detail of placement's refusal; empty for a success."""
    if response is None or response.status < 400:
        return ""
    try:
        first = json.loads(response.body)["errors"][0]
        detail = " ".join(str(first.get("detail", "")).removeprefix(UNEXPECTED).split())
        text = f"{first.get('code', '')} {detail}"
    except (ValueError, LookupError, TypeError):
        text = response.body[:DETAIL].decode(errors="replace")
    return text[: DETAIL if response.status >= 500 else SHORT_DETAIL].strip()
