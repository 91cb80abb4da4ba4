"""Answers of a deployed placement that rightly differ from upstream's expectations."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DECLARED = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True, slots=True)
class Difference:
    """An answer that differs for a ``reason``; ``expected`` has the keys of a gabbi test."""

    reason: str
    expected: Mapping[str, Any]


@cache
def declared() -> Mapping[tuple[str, str], Difference]:
    """All differences, by the suite's file name and the test's name."""
    entries = yaml.safe_load(DECLARED.read_text(encoding="utf-8"))
    return {
        (entry["suite"], entry["test"]): Difference(entry["reason"], entry["expected"])
        for entry in entries
    }
