"""How replicas get their configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """A configuration source.

    ``images`` and ``services`` are what it needs besides those of every stack, ``overlay`` the
    Compose file that adds them.
    """

    name: str
    title: str
    images: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    overlay: Path | None = None


SOURCES: Mapping[str, Source] = {one.name: one for one in (Source("env", "environment alone"),)}
