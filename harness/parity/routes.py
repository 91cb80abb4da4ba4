"""The routes of placement's API, as requests show them."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit


def route(method: str, path: str) -> str:
    """The request's route with ids left out, e.g. ``GET /resource_providers/{}/traits``."""
    clean = urlsplit(path).path.removeprefix("/placement").rstrip("/") or "/"
    parts = clean.split("/")
    # A part that follows the name of a collection is a name or an id.
    named = {"resource_providers", "allocations", "traits", "resource_classes", "inventories"}
    shown = ["{}" if before in named and part else part for before, part in _pairs(parts)]
    return f"{method} {'/'.join(shown)}"


def _pairs(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    fixed = {"inventories", "aggregates", "traits", "usages", "allocations"}
    before = ""
    for number, part in enumerate(parts):
        # /resource_providers/{}/inventories: the third part is a collection again.
        yield ("" if number == 3 and part in fixed else before), part
        before = part
