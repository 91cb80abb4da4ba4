"""Findings of doctor: what was checked, the result, and the remedy."""

from dataclasses import dataclass

from harness.core.errors import HarnessError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. ``remedy`` is empty when nothing has to be done."""

    what: str
    result: str
    remedy: str = ""

    @property
    def ok(self) -> bool:
        return not self.remedy

    @classmethod
    def of(cls, what: str, error: HarnessError) -> "Finding":
        return cls(what, error.problem, error.remedy)
