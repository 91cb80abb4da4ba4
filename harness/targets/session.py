"""A requests session that speaks to a target, for people who write Python tests."""

import io
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import requests
from requests.adapters import BaseAdapter

from harness.core.exchange import Exchange, Request, Response
from harness.targets.base import Target

TIMEOUT = 30.0


class PlacementSession(requests.Session):
    """Resolves relative URLs against the target's, e.g. ``get("/resource_providers")``.

    Each request carries the target's token and asks for the latest microversion, unless it says
    otherwise; each exchange is given to ``publish``.
    """

    def __init__(self, target: Target, publish: Callable[[Exchange], object]) -> None:
        super().__init__()
        # Else a .netrc file or a proxy of the user's would come between.
        self.trust_env = False
        self._base = f"{target.url}/"
        self.headers["x-auth-token"] = target.token()
        self.headers["openstack-api-version"] = "placement latest"
        self.headers["accept"] = "application/json"
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(target, publish))

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **options: Any) -> Any:
        given = url.decode() if isinstance(url, bytes) else url
        if not given.startswith(("http://", "https://")):
            given = urljoin(self._base, given.lstrip("/"))
        return super().request(method, given, *args, **options)


class _Adapter(BaseAdapter):
    """Sends what requests has prepared through the target's transport."""

    def __init__(self, target: Target, publish: Callable[[Exchange], object]) -> None:
        super().__init__()
        self._transport = target.transport()
        self._publish = publish

    def send(self, request: Any, *args: Any, **options: Any) -> requests.Response:
        body = request.body or b""
        sent = Request(
            request.method,
            request.url,
            dict(request.headers),
            body.encode() if isinstance(body, str) else bytes(body),
        )
        started, begin = time.time(), time.perf_counter()
        response, error = None, None
        try:
            response = self._transport.send(sent, timeout=_seconds(options.get("timeout")))
        except OSError as exception:
            error = f"{type(exception).__name__}: {exception}"
            kind = (
                requests.Timeout
                if isinstance(exception, TimeoutError)
                else requests.ConnectionError
            )
            raise kind(str(exception), request=request) from exception
        finally:
            if response is not None or error is not None:
                seconds = time.perf_counter() - begin
                self._publish(Exchange("", "", sent, response, started, seconds, error, begin))
        return _as_requests(response, request)

    def close(self) -> None:
        self._transport.close()


def _seconds(timeout: float | tuple[float, float] | None) -> float:
    if isinstance(timeout, tuple):
        return float(timeout[1])
    return TIMEOUT if timeout is None else float(timeout)


def _as_requests(response: Response, request: requests.PreparedRequest) -> requests.Response:
    answer = requests.Response()
    answer.status_code = response.status
    answer.reason = response.reason
    answer.headers = requests.structures.CaseInsensitiveDict(response.headers)
    answer.encoding = requests.utils.get_encoding_from_headers(answer.headers)
    answer.raw = io.BytesIO(response.body)
    answer.url = str(request.url)
    answer.request = request
    return answer
