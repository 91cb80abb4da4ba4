"""The releases of placement for which a suite is true, as the suite says it.

A suite whose expectations do not hold for every release has a key ``placement`` beside ``tests``,
with a version specifier, e.g. ``placement: ">=14"``. gabbi ignores the key. A suite without it is
true for every release.
"""

from collections.abc import Iterable
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

KEY = "placement"


def specifier(suite: dict[str, Any]) -> SpecifierSet | None:
    """The releases that a suite names; None where it names none. Raises ValueError."""
    value = suite.get(KEY)
    if value is None:
        return None
    try:
        # A number, e.g. 14, would be taken for a version that has to be equal.
        return SpecifierSet(value if isinstance(value, str) else repr(value))
    except InvalidSpecifier:
        raise ValueError(
            f"{KEY}: {value} names no releases: write a specifier, e.g. {KEY}: '>=14' or '<14'"
        ) from None


def holds(suite: SpecifierSet | None, releases: Iterable[str]) -> bool:
    """Whether a suite is true for all of these releases. A development version counts as itself."""
    return suite is None or all(suite.contains(release, prereleases=True) for release in releases)
