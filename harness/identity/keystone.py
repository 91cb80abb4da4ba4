"""A small keystone v3 client: credentials -> tokens.

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
    """What to ask which keystone. ``identity`` and ``scope`` are parts of a v3 token request."""

    url: str
    identity: Mapping[str, Any] = field(repr=False)
    scope: Mapping[str, Any] | None
    # Who that is, for people.
    who: str
    # Of keystone's certificate and placement's, as requests takes it.
    verify: bool | str = True

    def token(self, timeout: float = TIMEOUT) -> str:
        """Ask keystone for a token. Raises TargetError."""
        url = f"{self.url}/auth/tokens"
        asked: dict[str, Any] = {"identity": self.identity}
        if self.scope is not None:
            asked["scope"] = self.scope
        try:
            answer = self._request("POST", url, timeout, json={"auth": asked})
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
            if urlsplit(url).hostname in LOOPBACK:
                # No proxy has to do with this machine's own addresses.
                session.trust_env = False
            return session.request(method, url, timeout=timeout, verify=self.verify, **what)

    def endpoint(self, service: str, token: str, timeout: float = TIMEOUT) -> str | None:
        """The public address that the catalog has for a kind of service: the last one.

        Raises TargetError.
        """
        url = f"{self.url}/auth/catalog"
        try:
            answer = self._request("GET", url, timeout, headers={"X-Auth-Token": token})
            answer.raise_for_status()
            found = [
                str(one["url"]).rstrip("/")
                for entry in answer.json()["catalog"]
                if entry["type"] == service
                for one in entry["endpoints"]
                if one["interface"] == "public"
            ]
        except (requests.RequestException, ValueError, LookupError, TypeError) as error:
            raise TargetError(
                f"keystone at {self.url} does not show its catalog: {error}.",
                "Check OS_AUTH_URL, and that keystone runs.",
            ) from error
        return found[-1] if found else None
