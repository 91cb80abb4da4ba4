"""Converts placement's settings between environment variables, GROUP/OPTION and placement.conf."""

import re
from collections.abc import Mapping

# An environment variable that oslo.config reads: OS_GROUP__OPTION.
VARIABLE = re.compile(r"OS_([A-Z0-9_]+?)__([A-Z0-9_]+)")
CONNECTION = "placement_database/connection"
# Each answer of 401 names the address at which clients get tokens.
WWW_AUTHENTICATE = "keystone_authtoken/www_authenticate_uri"


def split(environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The settings in an environment, GROUP/OPTION -> value, and its other variables."""
    settings, others = {}, {}
    for name, value in environment.items():
        match = VARIABLE.fullmatch(name)
        if match:
            settings["/".join(match.groups()).lower()] = value
        else:
            others[name] = value
    return settings, others


def variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings as environment variables."""
    return {f"OS_{name.replace('/', '__').upper()}": value for name, value in settings.items()}


def file(settings: Mapping[str, str]) -> str:
    """Settings as a placement.conf."""
    groups: dict[str, list[str]] = {}
    for name, value in sorted(settings.items()):
        group, _, option = name.partition("/")
        groups.setdefault(section(group), []).append(f"{option} = {value}\n")
    return "\n".join(f"[{group}]\n{''.join(lines)}" for group, lines in groups.items())


def section(group: str) -> str:
    """Name of a group in a file and in etcd, where oslo.config wants DEFAULT in upper case."""
    return "DEFAULT" if group == "default" else group


def changes(first: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str | None]:
    """Changes that turn the first environment into the other; None unsets a variable."""
    changed = {name: value for name, value in other.items() if first.get(name) != value}
    return {**dict.fromkeys(first.keys() - other.keys()), **changed}
