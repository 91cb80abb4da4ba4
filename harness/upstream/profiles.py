"""Configurations of placement that suites need.

legacy-rbac    placement's deprecated policy is still allowed, which most of upstream's suites need
secure-rbac    placement's own policy, which a stack and a devstack have by default
open-policy    every user may do everything
cors           the CORS middleware is on, which replicas have to be started with

A profile that is a policy alone is switched by a policy.yaml, while replicas run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.errors import UsageError

# Options that upstream's fixtures set for the placement in their process. A stack sets its own.
OF_THE_PROCESS = frozenset(
    {"api.auth_strategy", "placement_database.connection", "oslo_policy.policy_file"}
)
NEW_DEFAULTS = "oslo_policy.enforce_new_defaults"
# placement 13 to 15 have an option to check the scope of tokens; later versions always check it.
SCOPE = "oslo_policy.enforce_scope"
OPEN = "@"


class UnknownProfileError(UsageError):
    """A fixture of placement's sets an option or a policy that no profile has."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A configuration of placement.

    ``rules`` are placement's policy.yaml. ``environment`` holds the variables that replicas of this
    profile are started with; ``common`` those that all other replicas are started with, too, since
    most suites need them.
    """

    name: str
    rules: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    common: Mapping[str, str] = field(default_factory=dict)


def profile_of(
    fixture: str,
    settings: Mapping[str, Any],
    rules: Mapping[str, str] | None,
    legacy_rules: Mapping[str, str],
) -> Profile:
    """The profile that a fixture configures. Raises UnknownProfileError if no profile fits.

    ``settings`` maps group.option to values. ``rules`` is None if the fixture sets no policy.
    ``legacy_rules`` are placement's rules, with the deprecated ones still allowed.
    """
    rest = {name: value for name, value in settings.items() if name not in OF_THE_PROCESS}
    secure = rest.pop(NEW_DEFAULTS, True)
    scope = rest.pop(SCOPE, None)
    cors = {name: rest.pop(name) for name in list(rest) if name.startswith("cors.")}
    if rest:
        name, value = next(iter(rest.items()))
        raise UnknownProfileError(
            f"placement's fixture {fixture} sets {name} to {value!r}, which no profile has.",
            "The harness does not know this version of placement yet: please report it.",
        )
    policy = dict(legacy_rules) if not secure else {}
    name = "secure-rbac" if secure else "legacy-rbac"
    if rules is not None:
        if set(rules.values()) != {OPEN}:
            raise UnknownProfileError(
                f"placement's fixture {fixture} sets a policy that no profile has.",
                "The harness does not know this version of placement yet: please report it.",
            )
        policy, name = dict(rules), "open-policy"
    environment = {_variable(option): _words(cors[option]) for option in sorted(cors)}
    common: dict[str, str] = {}
    if scope is not None:
        # The scope check is set when replicas start. Most suites need it off, so that is common;
        # suites that need it on get replicas of their own.
        (environment if scope else common)[_variable(SCOPE)] = str(scope).lower()
    return Profile("cors" if cors else name, policy, environment, common)


def _variable(option: str) -> str:
    """The environment variable that oslo.config reads for group.option."""
    group, _, name = option.partition(".")
    return f"OS_{group.upper()}__{name.upper()}"


def _words(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
