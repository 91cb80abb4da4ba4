"""Keeps tokens and passwords out of everything that a run prints or writes."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "(hidden)"
SECRET_HEADERS = frozenset({"x-auth-token", "x-subject-token", "x-service-token", "authorization"})
SECRET_KEYS = frozenset({"password", "original_password", "adminpass", "secret", "token_secret"})
# Shorter values ("admin") are words that any text may hold.
SHORTEST = 12


def headers(given: Mapping[str, str]) -> dict[str, str]:
    """The headers, with the values of secret ones hidden."""
    return {
        name: HIDDEN if name.lower() in SECRET_HEADERS else value for name, value in given.items()
    }


def secrets(*given: Mapping[str, str]) -> set[str]:
    """The values of secret headers that must not appear in any text."""
    return {
        str(value)
        for named in given
        for name, value in named.items()
        if name.lower() in SECRET_HEADERS and len(str(value)) >= SHORTEST
    }


def text(given: str, hidden: Iterable[str]) -> str:
    """The text without these values."""
    # The longest value goes first, since it may begin with a shorter one.
    for value in sorted(hidden, key=len, reverse=True):
        given = given.replace(value, HIDDEN)
    return given


def shown(given: str, hidden: Iterable[str]) -> str:
    """The text of a report without these values, and without what is left of them where cut.

    pytest leaves out the middle of a long value, and so the rest of a token may stay.
    """
    given = text(given, hidden)
    for value in hidden:
        head, tail = re.escape(value[:SHORTEST]), re.escape(value[-SHORTEST:])
        given = re.sub(rf"{head}[\w=-]*|[\w=-]*{tail}", HIDDEN, given)
    return given


def data(given: Any) -> Any:
    """JSON data, with the values of keys such as ``password`` hidden."""
    if isinstance(given, dict):
        return {key: HIDDEN if _secret(key, value) else data(value) for key, value in given.items()}
    if isinstance(given, list):
        return [data(item) for item in given]
    return given


def _secret(key: object, value: object) -> bool:
    return str(key).lower() in SECRET_KEYS and isinstance(value, str)


def body(given: str) -> str:
    """A JSON body with its passwords hidden; any other text as it is."""
    # Parsing is the most expensive part of a log line, so skip it where no key can match. A key may
    # be written with escapes: \u0070.
    lowered = given.lower()
    if "\\u" not in lowered and not any(key in lowered for key in SECRET_KEYS):
        return given
    try:
        parsed = json.loads(given)
    except ValueError:
        return given
    clean = data(parsed)
    return given if clean == parsed else json.dumps(clean, indent=2 if "\n" in given else None)
