"""Real users of a stack's keystone, for the identities in upstream's suites.

The image of the database has the users that placement 16's suites need. Another user is created
when it is first needed, with its project and roles, and stays as long as the stack. Tokens are kept
in the stack's state, so that a run's workers and later runs share them.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import requests

from harness.core.errors import StackError, TargetError
from harness.core.files import write_private
from harness.identity.keystone import Keystone
from harness.stack.model.record import Secrets
from harness.stack.model.state import StackState
from harness.upstream.identities import Identity

DOMAIN = {"id": "default"}
TIMEOUT = 30.0
# Tokens live for a day (compose.yaml). A token is not used any more at this age. Seconds.
TOKEN_AGE = 12 * 3600
# Role for users who need none: keystone gives a token for a project only to users with a role.
NO_ROLE = "no-role-of-placement"


# File in the state of a stack: users of its keystone, and their tokens.
USERS = "users.json"


class Users:
    """Users of a stack's keystone. ``url`` is keystone's, ``admin_token`` its administrator's."""

    def __init__(self, state: StackState, secrets: Secrets, url: str, admin_token: str) -> None:
        self._state = state
        self._file = state.directory / USERS
        self._password = secrets.users_password
        self._url = f"{url}/v3"
        # Content of users.json: tokens by identity, and ids of projects by name.
        self._known: dict[str, Any] = {}
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["X-Auth-Token"] = admin_token

    def token(self, identity: Identity) -> str:
        """A token of this identity, whose project may be a name or an id."""
        names = {value: key for key, value in self._known.get("projects", {}).items()}
        identity = replace(identity, project=names.get(identity.project, identity.project))
        known = self._known.get("tokens", {}).get(str(identity))
        return str(known or self._share("tokens", str(identity), lambda: self._log_in(identity)))

    def project(self, name: str) -> str:
        """The id of the project of this name."""
        known = self._known.get("projects", {}).get(name)
        return str(known or self._share("projects", name, lambda: self._project(name)))

    def _share(self, kind: str, name: str, make: Callable[[], str]) -> str:
        """The id or token that another process has made meanwhile, or the result of ``make``.

        The result is kept in users.json for other processes.
        """
        with self._state.taking("users.lock", TIMEOUT):
            self._known = self._read() or {
                "since": time.time(),
                "projects": {entity["name"]: entity["id"] for entity in self._list("project")},
                "tokens": {},
            }
            if name not in self._known[kind]:
                self._known[kind][name] = make()
                write_private(self._file, json.dumps(self._known))
            return str(self._known[kind][name])

    def _read(self) -> dict[str, Any] | None:
        try:
            known: dict[str, Any] = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return None
        return known if time.time() - known["since"] < TOKEN_AGE else None

    def _log_in(self, identity: Identity) -> str:
        domain, name = {"domain": DOMAIN}, str(identity)
        user = {"name": name, **domain, "password": self._password}
        scope: dict[str, Any] = {"system": {"all": True}}
        if identity.project is not None:
            scope = {"project": {"name": identity.project, **domain}}
        login = Keystone(
            self._url,
            {"methods": ["password"], "password": {"user": user}},
            scope,
            f"user {name}",
        )
        try:
            # The image of the database has most users already.
            return login.token(TIMEOUT)
        except TargetError:
            self._make_user(identity)
            return login.token(TIMEOUT)

    def _make_user(self, identity: Identity) -> None:
        user = self._make("user", str(identity), password=self._password)
        where = f"projects/{self._project(identity.project)}" if identity.project else "system"
        roles = {entity["name"]: entity["id"] for entity in self._list("role")}
        for role in identity.roles or (NO_ROLE,):
            number = roles.get(role) or self._make("role", role)
            path = f"{where}/users/{user}/roles/{number}"
            self._ask("PUT", path, f"giving {identity} role {role}")

    def _project(self, name: str) -> str:
        projects: dict[str, str] = self._known["projects"]
        if name not in projects:
            projects[name] = self._make("project", name)
        return projects[name]

    def _make(self, kind: str, name: str, **more: str) -> str:
        """Create a user, project or role, or find it by its name; return its id."""
        entity = {"name": name, **more} | ({} if kind == "role" else {"domain_id": DOMAIN["id"]})
        made = self._ask("POST", f"{kind}s", f"making {kind} {name}", json={kind: entity})
        return str(made[kind]["id"] if made else self._list(kind, name=name)[0]["id"])

    def _list(self, kind: str, **query: str) -> list[dict[str, Any]]:
        entities: list[dict[str, Any]] = self._ask(
            "GET", f"{kind}s", f"listing {kind}s", params=query
        )[f"{kind}s"]
        return entities

    def _ask(self, method: str, path: str, doing: str, **what: Any) -> Any:
        """The data in keystone's answer; None if the entity to create exists already."""
        try:
            answer = self._session.request(method, f"{self._url}/{path}", timeout=TIMEOUT, **what)
            if answer.ok:
                return answer.json() if answer.content else {}
            if (method, answer.status_code) == ("POST", 409):
                return None
            problem = f"keystone answers {answer.status_code} to {doing}: {answer.text[:200]}."
        except requests.RequestException as error:
            problem = f"keystone gives no answer to {doing}: {type(error).__name__}."
        raise StackError(
            problem, "See keystone's log: placement-harness logs keystone.", service="keystone"
        )
