"""placement's settings, as environment variables, as a file, and by group and option."""

import re
from collections.abc import Mapping

# As oslo.config reads them.
VARIABLE = re.compile(r"OS_([A-Z0-9_]+?)__([A-Z0-9_]+)")


def split(environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The settings in an environment, by GROUP/OPTION, and its other variables."""
    settings, left = {}, {}
    for name, value in environment.items():
        found = VARIABLE.fullmatch(name)
        if found:
            settings["/".join(found.groups()).lower()] = value
        else:
            left[name] = value
    return settings, left


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
    """A group as a file and etcd name it: oslo.config writes DEFAULT large, and knows no other."""
    return "DEFAULT" if group == "default" else group
