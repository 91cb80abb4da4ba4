"""Where a deployed placement rightly answers otherwise than upstream's suites expect."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DECLARED = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True, slots=True)
class Difference:
    """Why an answer differs, and what is ``expected`` instead, as a gabbi test says it."""

    reason: str
    expected: Mapping[str, Any]


@cache
def declared() -> Mapping[tuple[str, str], Difference]:
    """All differences, by the suite's file name and the test's name."""
    entries = yaml.safe_load(DECLARED.read_text(encoding="utf-8"))
    return {
        (one["suite"], one["test"]): Difference(one["reason"], one["expected"]) for one in entries
    }
