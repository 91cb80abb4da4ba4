"""Requests over HTTP/2, on httpx, for the few tests that say ``http_version: 2``."""

import ssl
from dataclasses import dataclass

from harness.core.exchange import Request, Response


@dataclass(frozen=True, slots=True)
class Trust:
    """The certificates that a client accepts.

    ``certificates`` names a file of authorities in place of the system's; without ``verify``, any
    certificate is accepted.
    """

    verify: bool = True
    certificates: str | None = None

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.certificates)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def send(request: Request, *, timeout: float, trust: Trust, name: str | None) -> Response:
    """Send once, over a connection of its own, whatever proxy the environment names.

    ``name`` is the server's name for TLS, where it is another than the URL's. Raises OSError.
    """
    # The import takes 0.1 s, which only these tests need.
    import httpx

    extensions = {} if name is None else {"sni_hostname": name}
    with httpx.Client(verify=trust.context(), http1=False, http2=True, trust_env=False) as client:
        try:
            answer = client.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.body,
                timeout=timeout,
                extensions=extensions,
            )
        except httpx.TimeoutException as error:
            raise TimeoutError(f"{request.method} {request.url}: {error}") from error
        except httpx.ProtocolError as error:
            raise ConnectionError(
                f"{request.method} {request.url}: {error}. `http_version: 2` needs a server that "
                "speaks HTTP/2."
            ) from error
        except httpx.TransportError as error:
            raise ConnectionError(f"{request.method} {request.url}: {error}") from error
    headers = {each: answer.headers[each] for each in answer.headers}
    return Response(
        answer.status_code, answer.reason_phrase, headers, answer.content, answer.http_version
    )
