"""placement's noauth2 headers -> the identity that they mean.

Upstream's suites run with authentication off, where a request says itself who sends it:
``x-auth-token: USER[:PROJECT]``, ``x-roles``, ``x-project-id`` and ``openstack-system-scope``.
placement/auth.py (NoAuthMiddleware) says what they mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass

TOKEN, ROLES, PROJECT, SCOPE = "x-auth-token", "x-roles", "x-project-id", "openstack-system-scope"
NAMES = frozenset({TOKEN, ROLES, PROJECT, SCOPE})
ADMIN = "admin"


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """A user with roles in one project, or, without a project, in the whole system."""

    user: str
    project: str | None
    roles: tuple[str, ...]

    def __str__(self) -> str:
        where = self.project or "the system"
        return f"{self.user} as {'+'.join(self.roles) or 'nobody'} in {where}"


def read(headers: Mapping[str, str]) -> tuple[Identity | None, dict[str, str]]:
    """Who sends these headers, and the headers that say something else; None: no token is sent."""
    said = {name.lower(): str(value) for name, value in headers.items() if name.lower() in NAMES}
    left = {name: value for name, value in headers.items() if name.lower() not in NAMES}
    token = said.get(TOKEN)
    if token is None:
        return None, left
    user, _, project = token.partition(":")
    if ROLES in said:
        roles = tuple(one.strip() for one in said[ROLES].split(",") if one.strip())
    else:
        roles = (ADMIN,) if user == ADMIN else ()
    if said.get(SCOPE):
        return Identity(user, None, roles), left
    return Identity(user, said.get(PROJECT) or project or user, roles), left
