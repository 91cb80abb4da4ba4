"""Reads the identity that placement's noauth2 headers mean.

Upstream's suites run with authentication off. Headers of a request name its user, roles and project
then: ``x-auth-token: USER[:PROJECT]``, ``x-roles``, ``x-project-id`` and
``openstack-system-scope``. placement/auth.py (NoAuthMiddleware) defines their meaning.
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
    """The identity in these headers (None without a token), and all other headers."""
    given = {name.lower(): str(value) for name, value in headers.items() if name.lower() in NAMES}
    others = {name: value for name, value in headers.items() if name.lower() not in NAMES}
    token = given.get(TOKEN)
    if token is None:
        return None, others
    user, _, project = token.partition(":")
    if ROLES in given:
        roles = tuple(role.strip() for role in given[ROLES].split(",") if role.strip())
    else:
        roles = (ADMIN,) if user == ADMIN else ()
    if given.get(SCOPE):
        return Identity(user, None, roles), others
    return Identity(user, given.get(PROJECT) or project or user, roles), others
