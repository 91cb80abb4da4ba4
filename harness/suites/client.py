"""What gabbi's tests send through instead of an httpx client of their own.

gabbi makes an httpx client and a TLS context for each test, which takes 24 ms; these send through
the run's Wire, and give back what gabbi's client gives.
"""

import sys
from collections.abc import Mapping
from typing import Any, TextIO

import httpx
from gabbi import httpclient, utils  # type: ignore[import-untyped]

from harness.core import redact
from harness.core.exchange import Exchange, Request, Response
from harness.suites.connection import Wire

# What httpx sends unless told otherwise.
USUAL = {"accept": "*/*", "accept-encoding": "gzip, deflate"}


class Client(httpclient.Http):  # type: ignore[misc]
    """Sends the requests of one test, and keeps its last exchange."""

    def __init__(self, wire: Wire, suite: str, test: str, *, verify: bool, version: int) -> None:
        # Not Http's own __init__: that is what makes the httpx client.
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
        """Send once; return the headers, with status and reason among them, and the body."""
        given = {name.lower() for name in headers}
        sent = {name: value for name, value in USUAL.items() if name not in given} | headers
        request = Request(method, absolute_uri, self._wire.sent(sent), body)

        def send() -> Response:
            if self._version == 2 and not self._wire.in_process:
                return self._http2(request, redirect, timeout)
            transport = self._wire.transport(self._verify)
            return transport.send(request, timeout=timeout, redirects=redirect)

        try:
            response = self._wire.exchange(self._suite, self._test, request, send)
        except TimeoutError as error:
            # The one that gabbi's poll waits out.
            raise httpx.ReadTimeout(str(error)) from error
        finally:
            self.exchange = self._wire.last
        return _as_gabbi(response), response.body

    def _http2(self, request: Request, redirect: bool, timeout: float) -> Response:
        """HTTP/2 is rare enough for gabbi's own client."""
        with httpx.Client(verify=self._verify, http1=False, http2=True) as client:
            try:
                answer = client.request(
                    request.method,
                    request.url,
                    headers=dict(request.headers),
                    content=request.body,
                    timeout=timeout,
                    follow_redirects=redirect,
                )
            except httpx.TimeoutException as error:
                raise TimeoutError(str(error)) from error
            except httpx.TransportError as error:
                raise ConnectionError(str(error)) from error
        headers = {name: answer.headers[name] for name in answer.headers}
        reason, version = answer.reason_phrase, answer.http_version
        return Response(answer.status_code, reason, headers, answer.content, version)


class VerboseClient(httpclient.VerboseHttp, Client):  # type: ignore[misc]
    """The same, with what it does on standard output; tokens and passwords hidden."""

    def __init__(self, wire: Wire, suite: str, test: str, *, show: object, **options: Any) -> None:
        Client.__init__(self, wire, suite, test, **options)
        self.caption = test
        self._show_headers = show != "body"
        self._show_body = show != "headers"

    @property
    def _stream(self) -> TextIO:
        # pytest has another one for each test.
        return sys.stdout

    def colorize(self, color: str, message: str) -> str:
        colored: str = utils.get_colorizer(self._stream)(color, message)
        return colored

    def _print_header(self, name: str, value: str, **options: Any) -> None:
        super()._print_header(name, redact.headers({name: value})[name], **options)

    def _verbose_output(self, message: str, **options: Any) -> None:
        super()._verbose_output(redact.body(message), **options)


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


def make(wire: Wire, suite: str, options: Mapping[str, Any]) -> Client:
    """The client that gabbi would make with these options of its ``get_http``."""
    test, verbose = options["caption"], options["verbose"]
    verify, version = bool(options["cert_validate"]), int(options["version"])
    if verbose:
        return VerboseClient(wire, suite, test, show=verbose, verify=verify, version=version)
    return Client(wire, suite, test, verify=verify, version=version)
