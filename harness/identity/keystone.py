"""Gets tokens and addresses from keystone's v3 API.

Passwords and tokens appear in no repr and no message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from harness.core.errors import TargetError

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Keystone:
    """One keystone and one user. ``identity`` and ``scope`` are parts of a v3 token request."""

    url: str
    identity: Mapping[str, Any] = field(repr=False)
    scope: Mapping[str, Any] | None
    # Name of the user or credential, for messages.
    who: str
    # Whether to check keystone's and placement's certificates, or the file of authorities.
    verify: bool | str = True
    # Whether keystone is a stack's: a proxy of the environment is for other hosts.
    direct: bool = False

    def token(self, timeout: float = TIMEOUT) -> str:
        """Ask keystone for a token. Raises TargetError."""
        url = f"{self.url}/auth/tokens"
        auth: dict[str, Any] = {"identity": self.identity}
        if self.scope is not None:
            auth["scope"] = self.scope
        try:
            answer = self._request("POST", url, timeout, json={"auth": auth})
        except requests.RequestException as error:
            raise TargetError(
                f"keystone at {self.url} does not answer: {error}.",
                "Check OS_AUTH_URL, and that keystone runs.",
            ) from error
        token = answer.headers.get("x-subject-token")
        if answer.status_code == 401:
            raise TargetError(
                f"keystone at {self.url} refuses the credentials of {self.who}.",
                "Check user, password, project and domains: OS_USERNAME, OS_PASSWORD, "
                "OS_PROJECT_NAME, OS_USER_DOMAIN_NAME, OS_PROJECT_DOMAIN_NAME.",
            )
        if answer.status_code != 201 or not token:
            raise TargetError(
                f"{url} answers {answer.status_code} to a request for a token.",
                "OS_AUTH_URL has to be keystone's address, e.g. http://controller/identity/v3.",
            )
        return token

    def _request(self, method: str, url: str, timeout: float, **what: Any) -> requests.Response:
        with requests.Session() as session:
            if self.direct or urlsplit(url).hostname in LOOPBACK:
                # Requests to this machine's own addresses need no proxy.
                session.trust_env = False
            return session.request(method, url, timeout=timeout, verify=self.verify, **what)

    def endpoint(self, service: str, token: str, timeout: float = TIMEOUT) -> str | None:
        """Last public address of a kind of service in the catalog; None without one.

        Raises TargetError.
        """
        url = f"{self.url}/auth/catalog"
        try:
            answer = self._request("GET", url, timeout, headers={"X-Auth-Token": token})
            answer.raise_for_status()
            addresses = [
                str(endpoint["url"]).rstrip("/")
                for entry in answer.json()["catalog"]
                if entry["type"] == service
                for endpoint in entry["endpoints"]
                if endpoint["interface"] == "public"
            ]
        except (requests.RequestException, ValueError, LookupError, TypeError) as error:
            raise TargetError(
                f"keystone at {self.url} does not show its catalog: {error}.",
                "Check OS_AUTH_URL, and that keystone runs.",
            ) from error
        return addresses[-1] if addresses else None
