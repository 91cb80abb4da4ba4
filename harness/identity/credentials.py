"""Finds credentials in OS_* variables and in clouds.yaml.

openstacksdk reads clouds.yaml, and only when OS_CLOUD names a cloud. Passwords and tokens appear in
no repr and no message.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.errors import TargetError
from harness.identity.keystone import Keystone

# Token that placement's noauth2 takes for a user who may do everything.
NOAUTH_TOKEN = "admin"  # noqa: S105
NOAUTH = frozenset({"none", "noauth", "noauth2"})
APPLICATION = "v3applicationcredential"
# OS_AUTH_TYPE -> method of a v3 token request. Other types need openstacksdk's plugins.
KINDS = {
    "password": "password",
    "v3password": "password",
    "token": "token",
    "v3token": "token",
    APPLICATION: "application_credential",
}

REMEDY = (
    "Source an openrc file (OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME), name a cloud "
    "of clouds.yaml in OS_CLOUD, or set OS_AUTH_TYPE=none for a placement without keystone."
)


@dataclass(frozen=True, slots=True)
class Cloud:
    """Credentials of a cloud in clouds.yaml."""

    name: str

    @property
    def who(self) -> str:
        return f"cloud {self.name}"

    @property
    def verify(self) -> bool | str:
        """Whether to check certificates, or the file of authorities. Raises TargetError."""
        verify, _ = self._ask(lambda cloud: cloud.get_requests_verify_args())
        return verify if isinstance(verify, str) else bool(verify)

    def token(self) -> str:
        """Get a token through openstacksdk. Raises TargetError."""
        token = self._ask(
            lambda cloud: (
                NOAUTH_TOKEN
                if cloud.config.get("auth_type") in NOAUTH
                else cloud.get_session().get_token()
            )
        )
        if not token:
            raise TargetError(f"OS_CLOUD={self.name} gives no token.", REMEDY)
        return str(token)

    def _ask(self, what: Callable[[Any], Any]) -> Any:
        try:
            from openstack.config import OpenStackConfig
        except ImportError as error:
            raise TargetError(
                f"OS_CLOUD={self.name} needs openstacksdk to read clouds.yaml, but {error}.",
                "Install it: pip install 'placement-harness[cloud]'.",
            ) from error
        try:
            with warnings.catch_warnings():
                # Deprecations in openstacksdk do not concern a run.
                warnings.simplefilter("ignore")
                return what(OpenStackConfig().get_one(cloud=self.name))
        # keystoneauth and openstacksdk raise errors that have no common base.
        except Exception as error:
            raise TargetError(
                f"OS_CLOUD={self.name} gives no token: {type(error).__name__}: {error}",
                "Check this cloud in clouds.yaml; `openstack token issue` has to work.",
            ) from error


@dataclass(frozen=True, slots=True)
class Ready:
    """A token that needs no keystone: given by the user, or ignored by placement."""

    value: str = field(repr=False)
    who: str
    verify: bool | str = True

    def token(self) -> str:
        return self.value


Credentials = Keystone | Cloud | Ready


def find(environ: Mapping[str, str]) -> Credentials:
    """Find the credentials that OS_* variables describe. Raises TargetError without any."""
    kind = environ.get("OS_AUTH_TYPE", "").lower()
    if kind in NOAUTH:
        return Ready(NOAUTH_TOKEN, "noauth2", _verify(environ))
    if environ.get("OS_CLOUD"):
        return Cloud(environ["OS_CLOUD"])
    if kind in ("admin_token", "token_endpoint") and environ.get("OS_TOKEN"):
        return Ready(environ["OS_TOKEN"], "OS_TOKEN", _verify(environ))
    if not environ.get("OS_AUTH_URL"):
        raise TargetError("There are no credentials: OS_AUTH_URL and OS_CLOUD are not set.", REMEDY)
    return _keystone(environ, KINDS.get(kind or _kind(environ), ""))


def _kind(environ: Mapping[str, str]) -> str:
    """Kind of credentials, guessed from the variables that are set."""
    if environ.get("OS_APPLICATION_CREDENTIAL_SECRET"):
        return APPLICATION
    if environ.get("OS_TOKEN") and not environ.get("OS_PASSWORD"):
        return "token"
    return "password"


def _verify(environ: Mapping[str, str]) -> bool | str:
    """Whether to check certificates, or the file of authorities from OS_CACERT."""
    if environ.get("OS_INSECURE", "").lower() in ("1", "true", "yes"):
        return False
    return environ.get("OS_CACERT") or True


def _keystone(environ: Mapping[str, str], method: str) -> Keystone:
    url = environ["OS_AUTH_URL"].rstrip("/")
    if not url.endswith("/v3"):
        url = f"{url.removesuffix('/v2.0')}/v3"
    verify = _verify(environ)
    user = _named(environ, "OS_USERNAME", "OS_USER_ID", "OS_USER_DOMAIN")
    if method == "application_credential":
        identity = _application(environ, user)
        return Keystone(url, identity, None, "the application credential", verify)
    if method == "token":
        identity = {"methods": ["token"], "token": {"id": _need(environ, "OS_TOKEN")}}
        return Keystone(url, identity, _scope(environ), "the token OS_TOKEN", verify)
    if method == "password":
        if not user:
            raise _missing("OS_USERNAME")
        user["password"] = _need(environ, "OS_PASSWORD")
        identity = {"methods": ["password"], "password": {"user": user}}
        who = environ.get("OS_USERNAME") or environ["OS_USER_ID"]
        return Keystone(url, identity, _scope(environ), f"user {who}", verify)
    raise TargetError(
        f"OS_AUTH_TYPE={environ['OS_AUTH_TYPE']} is not known here.",
        f"Use {', '.join(sorted(KINDS))} or none; for other kinds, OS_CLOUD and clouds.yaml.",
    )


def _application(environ: Mapping[str, str], user: dict[str, Any]) -> dict[str, Any]:
    secret = _need(environ, "OS_APPLICATION_CREDENTIAL_SECRET")
    credential: dict[str, Any] = {"secret": secret}
    if environ.get("OS_APPLICATION_CREDENTIAL_ID"):
        credential["id"] = environ["OS_APPLICATION_CREDENTIAL_ID"]
    else:
        # keystone finds a credential by its name only together with its user.
        credential["name"] = _need(environ, "OS_APPLICATION_CREDENTIAL_NAME")
        credential["user"] = user
    return {"methods": ["application_credential"], "application_credential": credential}


def _scope(environ: Mapping[str, str]) -> dict[str, Any] | None:
    if environ.get("OS_SYSTEM_SCOPE"):
        return {"system": {"all": True}}
    domain = "OS_PROJECT_DOMAIN"
    project = _named(environ, "OS_PROJECT_NAME", "OS_PROJECT_ID", domain)
    if not project:
        # Old openrc files have the names of keystone's v2 API.
        project = _named(environ, "OS_TENANT_NAME", "OS_TENANT_ID", domain)
    return {"project": project} if project else None


def _named(environ: Mapping[str, str], name: str, number: str, domain: str) -> dict[str, Any]:
    """A user or project in keystone's format; empty when the variables are not set."""
    if environ.get(number):
        return {"id": environ[number]}
    if not environ.get(name):
        return {}
    if environ.get(f"{domain}_NAME"):
        return {"name": environ[name], "domain": {"name": environ[f"{domain}_NAME"]}}
    number = environ.get(f"{domain}_ID") or environ.get("OS_DEFAULT_DOMAIN") or "default"
    return {"name": environ[name], "domain": {"id": number}}


def _need(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name)
    if not value:
        raise _missing(name)
    return value


def _missing(name: str) -> TargetError:
    return TargetError(f"OS_AUTH_URL is set, but {name} is not.", REMEDY)
