"""A placement that was started by other means, by its URL."""

import json
import os
import socket
import ssl
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit
from urllib.request import getproxies

from harness.config.plan import Plan
from harness.core.errors import TargetError
from harness.core.exchange import Request, Response
from harness.core.measurements import Progress, Setting
from harness.identity.credentials import Credentials, Ready, find
from harness.targets.base import Transport, quiet
from harness.targets.http import PORTS, HttpTransport

TIMEOUT = 30.0
# For a look whether something listens at all.
LOOK_TIMEOUT = 5.0
TOKEN_COMMAND = "TOKEN=$(openstack token issue -f value -c id)"  # noqa: S105


class Remote:
    """placement at an http(s) URL, with the credentials of OS_* variables or clouds.yaml."""

    name = "remote"
    # How many replicas there are behind the URL is not for us to know.
    replicas: tuple[str, ...] = ()

    def __init__(self, url: str, progress: Progress = quiet, token: str | None = None) -> None:
        self._url = url
        self._progress = progress
        self._token = token
        self._versions = "unknown"
        self._credentials: Credentials | None = None
        self._verify: bool | str | None = None

    @property
    def url(self) -> str:
        return self._url

    def start(self) -> None:
        """See that placement is there and takes our token. Raises TargetError."""
        self._progress(f"asking {self._url}")
        self._versions = self._version_range(self._ask("/", {}))
        self._progress("asking for a token")
        answer = self._ask("/resource_classes", {"x-auth-token": self.token()})
        if answer.status in (401, 403):
            what = "does not take" if answer.status == 401 else "allows nothing to"
            raise TargetError(
                f"{self._url} {what} the token of {self.credentials.who} ({answer.status}).",
                "Give an administrator's credentials, of the keystone that this placement asks.",
            )

    def cancel(self) -> None:
        """Its timeouts end it."""

    def stop(self) -> None:
        """It is not ours to stop."""

    def share(self, worker: int) -> Mapping[str, object]:
        return {"token": self.token()}

    @property
    def credentials(self) -> Credentials:
        if self._credentials is None:
            self._credentials = find(os.environ)
        return self._credentials

    def token(self) -> str:
        if self._token is None:
            self._token = self.credentials.token()
        return self._token

    def transport(self, *, verify: bool = True) -> Transport:
        if self._verify is None:
            self._verify = self.credentials.verify
        known = self._verify
        return HttpTransport(
            verify=verify and known is not False,
            certificates=known if isinstance(known, str) else None,
        )

    def settings(self) -> Sequence[Setting]:
        return (
            Setting("placement", self._url, self._versions),
            Setting("authentication", self.credentials.who),
        )

    def check(self) -> None:
        """Raise TargetError when nothing listens at the URL any more."""
        parts = urlsplit(self._url)
        place = (parts.hostname or "", parts.port or PORTS[parts.scheme])
        try:
            socket.create_connection(place, timeout=LOOK_TIMEOUT).close()
        except OSError as error:
            raise TargetError(
                f"{self._url} has gone: {error}.", "See what became of it, and run again."
            ) from error

    def contents(self) -> Mapping[str, str]:
        """The providers with their generations, the traits and the resource classes."""
        token = {"x-auth-token": self.token(), "openstack-api-version": "placement 1.39"}
        providers, traits, classes = (
            json.loads(self._ask(f"/{collection}", token).body)[collection]
            for collection in ("resource_providers", "traits", "resource_classes")
        )
        generations = {each["name"]: f"generation {each['generation']}" for each in providers}
        return {
            **{f"provider {name}": generation for name, generation in generations.items()},
            **{f"trait {name}": "" for name in traits},
            **{f"resource class {each['name']}": "" for each in classes},
        }

    def shell_token(self) -> str | None:
        if isinstance(self.credentials, Ready):
            return "TOKEN=admin" if self.credentials.who == "noauth2" else "TOKEN=$OS_TOKEN"
        return TOKEN_COMMAND

    def _ask(self, path: str, headers: Mapping[str, str]) -> Response:
        transport = self.transport()
        request = Request("GET", f"{self._url}{path}", {"accept": "application/json", **headers})
        try:
            return transport.send(request, timeout=TIMEOUT)
        except OSError as error:
            hint = ""
            if _untrusted(error):
                hint = " For a private authority, OS_CACERT names its file (cacert in clouds.yaml)."
            elif urlsplit(self._url).scheme in getproxies():
                hint = " It is asked directly, not through the proxy that is set for other hosts."
            raise TargetError(
                f"{self._url} cannot be reached: {error}.",
                f"Check the address, and that placement runs there.{hint}",
            ) from error
        finally:
            transport.close()

    def _version_range(self, answer: Response) -> str:
        """The microversions that placement's root names."""
        try:
            versions = json.loads(answer.body)["versions"][0]
            return f"microversions {versions['min_version']} to {versions['max_version']}"
        except (ValueError, LookupError, TypeError) as error:
            raise TargetError(
                f"{self._url} answers {answer.status}, but not as placement does.",
                "Give placement's own address: `openstack endpoint list --service placement`.",
            ) from error


def _untrusted(error: BaseException | None) -> bool:
    """Whether a certificate was at fault."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def make(plan: Plan, progress: Progress = quiet) -> Remote:
    return Remote(plan.target, progress)


def attach(plan: Plan, shared: Mapping[str, object]) -> Remote:
    return Remote(plan.target, token=str(shared["token"]))
