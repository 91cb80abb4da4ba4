"""The relation between the values of the two sides of a comparison.

Each side makes up values of its own: UUIDs, request ids, addresses, ids of database rows. They may
differ, but what a value stands for may not: a value of one side stands for one value of the other,
throughout a run. Times differ too; each has to be a time near its own side's present.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from harness.parity.tokens import TIMES, Piece, pieces

# How far a time may lie after its side's present, and before the side's first answer. Seconds.
SLACK = 2.0


@dataclass
class Clock:
    """One side's present, as its answers tell it. Seconds since the epoch."""

    first: float | None = None
    now: float = 0.0

    def set(self, date: str | None, sent: float) -> None:
        """Move to the time of an answer: its Date header, or when the client had it."""
        moment = parse_time("http_date", date) if date else None
        self.now = sent if moment is None else moment
        self.first = self.now if self.first is None else min(self.first, self.now)

    def eras(self, moment: float) -> tuple[str, ...]:
        """When a moment may have been, as this side sees it; none is in the future.

        A side that was made for the run may have made its data just before its first answer.
        """
        first = self.now if self.first is None else self.first
        if moment > self.now + SLACK:
            return ()
        before, during = moment < first, moment >= first - SLACK
        return ("before the run",) * before + ("during the run",) * during


def _either(eras: Sequence[str]) -> str:
    return " or ".join(eras) or "in the future"


@functools.lru_cache(256)
def parse_time(kind: str, text: str) -> float | None:
    """Seconds since the epoch; None for a text that is no time."""
    try:
        if kind == "http_date":
            return parsedate_to_datetime(text).timestamp()
        if kind == "python_date":
            numbers = [int(number) for number in re.findall(r"\d+", text)]
            year, month, day, hour, minute, second, *_ = [*numbers, 0, 0, 0, 0]
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except (ValueError, TypeError):
        return None


@dataclass
class Relations:
    """A bijection between the values of the left and the right side, for each kind of value.

    ``trial`` gives a copy on which a comparison can be tried; ``commit`` takes what it has learned.
    """

    left: Clock = field(default_factory=Clock)
    right: Clock = field(default_factory=Clock)
    _to_right: dict[tuple[str, str], str] = field(default_factory=dict)
    _to_left: dict[tuple[str, str], str] = field(default_factory=dict)
    _introduced: set[tuple[str, str]] = field(default_factory=set)
    _below: "Relations | None" = None

    def trial(self) -> "Relations":
        return Relations(self.left, self.right, _below=self)

    def commit(self) -> None:
        """Take what a trial has learned into what it was made from."""
        if self._below is not None:
            self._below._to_right.update(self._to_right)
            self._below._to_left.update(self._to_left)

    def right_of(self, kind: str, value: str) -> str | None:
        """The right side's value for one of the left side; None when it is not known yet."""
        known = self._to_right.get((kind, value))
        if known is None and self._below is not None:
            return self._below.right_of(kind, value)
        return known

    def left_of(self, kind: str, value: str) -> str | None:
        """The left side's value for one of the right side; None when it is not known yet."""
        known = self._to_left.get((kind, value))
        if known is None and self._below is not None:
            return self._below.left_of(kind, value)
        return known

    def relate(self, kind: str, left: str, right: str) -> str | None:
        """Let two values stand for each other; else say why they cannot."""
        if kind in TIMES:
            return self._times(kind, left, right)
        known_right, known_left = self.right_of(kind, left), self.left_of(kind, right)
        if known_right == right and known_left == left:
            return None
        if known_right is not None:
            return f"{left} has stood for {known_right} before"
        if known_left is not None:
            return f"{right} has stood for {known_left} before"
        self._to_right[kind, left] = right
        self._to_left[kind, right] = left
        return None

    def introduce(self, left: str, right: str) -> None:
        """Let two ids stand for each other; one may be a UUID, and the other 32 digits."""
        self._to_right["uuid", left] = right
        self._to_left["uuid", right] = left
        self._introduced.add((left, right))

    def _are_introduced(self, part: Piece, other: Piece) -> bool:
        below = self._below
        known = (part.text, other.text) in self._introduced
        return known or (below is not None and below._are_introduced(part, other))

    def _times(self, kind: str, left: str, right: str) -> str | None:
        first, second = parse_time(kind, left), parse_time(kind, right)
        if first is None or second is None:
            return f"{left if first is None else right} is not a time"
        eras, others = self.left.eras(first), self.right.eras(second)
        if {*eras} & {*others}:
            return None
        return f"a time {_either(eras)}, and on the other side one {_either(others)}"

    def texts(self, left: str, right: str) -> str | None:
        """Relate two texts, part by part; None when they say the same, else why not.

        Nothing is learned from texts that differ.
        """
        return self.parts(pieces(left), pieces(right))

    def parts(self, left: Sequence[Piece], right: Sequence[Piece]) -> str | None:
        """Relate the parts of two texts: literal ones must be equal, the others related."""
        if len(left) != len(right):
            return "the texts differ"
        made_up = []
        for part, other in zip(left, right, strict=True):
            if part.kind != other.kind and self._are_introduced(part, other):
                continue
            if part.kind != other.kind or (part.kind == "literal" and part.text != other.text):
                return "the texts differ"
            if part.kind != "literal":
                made_up.append((part.kind, part.text, other.text))
        if not made_up:
            return None
        trial = self.trial()
        for kind, value, partner in made_up:
            problem = trial.relate(kind, value, partner)
            if problem is not None:
                return problem
        trial.commit()
        return None
