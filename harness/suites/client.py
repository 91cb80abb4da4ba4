"""HTTP clients for gabbi's tests, which send their requests through the run's Wire.

gabbi would make an httpx client and a TLS context for each test, which takes 24 ms. These clients
return the same values as gabbi's.
"""

from typing import Any

import httpx

from harness.core import redact
from harness.core.exchange import Exchange, Request, Response
from harness.suites import _gabbi_compat
from harness.suites.connection import Wire

# Headers that httpx sends by default.
USUAL = {"accept": "*/*", "accept-encoding": "gzip, deflate"}


class Client(_gabbi_compat.Client):
    """Sends the requests of one test, and keeps its last exchange."""

    def __init__(self, wire: Wire, suite: str, test: str, *, verify: bool, version: int) -> None:
        super().__init__()
        self._wire = wire
        self._suite = suite
        self._test = test
        self._verify = verify
        self._version = version
        self.exchange: Exchange | None = None

    def request(
        self,
        absolute_uri: str,
        method: str,
        body: bytes,
        headers: dict[str, str],
        redirect: bool,
        timeout: float,
    ) -> tuple[httpx.Headers, bytes]:
        """Send a request; return the headers, with status and reason among them, and the body."""
        given = {name.lower() for name in headers}
        sent = {name: value for name, value in USUAL.items() if name not in given} | headers
        http2 = self._version == 2
        request = Request(method, absolute_uri, self._wire.sent(sent), body, http2)

        def send() -> Response:
            transport = self._wire.transport(self._verify)
            return transport.send(request, timeout=timeout, redirects=redirect)

        try:
            response = self._wire.exchange(self._suite, self._test, request, send)
        except TimeoutError as error:
            # gabbi's `poll` catches this error, and tries again.
            raise httpx.ReadTimeout(str(error)) from error
        finally:
            self.exchange = self._wire.last
        return _as_gabbi(response), response.body


class VerboseClient(_gabbi_compat.VerboseClient, Client):
    """A client that also prints its exchanges, with tokens and passwords hidden."""

    def __init__(self, wire: Wire, suite: str, test: str, *, show: object, **options: Any) -> None:
        Client.__init__(self, wire, suite, test, **options)
        _gabbi_compat.VerboseClient.__init__(self, test, show)

    def shown_header(self, name: str, value: str) -> str:
        return redact.headers({name: value})[name]

    def shown_text(self, text: str) -> str:
        return redact.body(text)


def _as_gabbi(response: Response) -> httpx.Headers:
    """The response's headers as gabbi's handlers expect them."""
    return httpx.Headers(
        {
            **response.headers,
            "status": str(response.status),
            "reason": response.reason,
            "http_protocol_version": response.protocol,
        }
    )


def make(wire: Wire, suite: str, **options: Any) -> Client:
    """The client for a test; ``options`` are those of gabbi's ``get_http``."""
    test, verbose = options["caption"], options["verbose"]
    verify, version = bool(options["cert_validate"]), int(options["version"])
    if verbose:
        return VerboseClient(wire, suite, test, show=verbose, verify=verify, version=version)
    return Client(wire, suite, test, verify=verify, version=version)
