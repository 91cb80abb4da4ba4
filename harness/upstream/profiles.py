"""Configurations of placement that suites need.

legacy-rbac    placement's deprecated policy is still allowed: what upstream's suites begin with
secure-rbac    placement's policy as it is: what a stack has by itself, and devstack
open-policy    every user may do everything
cors           the CORS middleware is on: replicas have to be started that way

Those that are policies alone are switched while replicas run, by their policy.yaml.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.errors import UsageError

# What upstream's fixtures set for the placement in their own process; a stack has its own.
OF_THE_PROCESS = frozenset(
    {"api.auth_strategy", "placement_database.connection", "oslo_policy.policy_file"}
)
NEW_DEFAULTS = "oslo_policy.enforce_new_defaults"
# placement 13 to 15 check the scope of tokens or not; later ones always do.
SCOPE = "oslo_policy.enforce_scope"
OPEN = "@"


class UnknownProfileError(UsageError):
    """A fixture of placement's configures what no profile has."""


@dataclass(frozen=True, slots=True)
class Profile:
    """``rules`` are placement's policy.yaml; ``environment`` what replicas are started with.

    ``common`` is what the replicas of other suites are started with, too: most suites want it.
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
    """The profile that a fixture configures. Raises UnknownProfileError for what we do not know.

    ``settings`` are by group.option; ``rules`` is None where the fixture sets no policy;
    ``legacy_rules`` are placement's, with the deprecated ones still allowed.
    """
    left = {name: value for name, value in settings.items() if name not in OF_THE_PROCESS}
    secure = left.pop(NEW_DEFAULTS, True)
    scope = left.pop(SCOPE, None)
    cors = {name: left.pop(name) for name in list(left) if name.startswith("cors.")}
    if left:
        name, value = next(iter(left.items()))
        raise UnknownProfileError(
            f"placement's fixture {fixture} sets {name} to {value!r}, which no profile has.",
            "This version of placement is not known here yet: please report it.",
        )
    policy = dict(legacy_rules) if not secure else {}
    name = "secure-rbac" if secure else "legacy-rbac"
    if rules is not None:
        if set(rules.values()) != {OPEN}:
            raise UnknownProfileError(
                f"placement's fixture {fixture} sets a policy that no profile has.",
                "This version of placement is not known here yet: please report it.",
            )
        policy, name = dict(rules), "open-policy"
    environment = {_variable(one): _words(cors[one]) for one in sorted(cors)}
    common: dict[str, str] = {}
    if scope is not None:
        # Replicas have to be started so: those of most suites without, the others apart.
        (environment if scope else common)[_variable(SCOPE)] = str(scope).lower()
    return Profile("cors" if cors else name, policy, environment, common)


def _variable(option: str) -> str:
    """The environment variable that oslo.config reads for group.option."""
    group, _, name = option.partition(".")
    return f"OS_{group.upper()}__{name.upper()}"


def _words(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
