"""One exchange of each side -> the differences between them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.exchange import Exchange, Request, Response
from harness.core.words import counted
from harness.parity import parts
from harness.parity.relations import Relations
from harness.parity.routes import route
from harness.parity.tokens import TOKEN, pieces

ABSENT = object()
# placement shows a refused document in lines of 72 characters. Where ids have another length, lines
# break elsewhere.
REFUSED = "JSON does not validate"
# Separators of names in a text.
BETWEEN_WORDS = re.compile(r"[\s,]+")
# The parts of a JSON path: .key and [index].
STEP = re.compile(r"\.[^.\[]*|\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the sides differ.

    ``place`` is ``status``, ``reason``, ``header NAME``, ``body PATH`` (a JSON path from ``$``) or
    ``request ...``; ``kind`` is value, type, missing (on the right), extra (on the right), order,
    relation, time or length. ``left`` and ``right`` are what stands there, as text.
    """

    place: str
    kind: str
    left: str
    right: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Unordered:
    """A list whose order the API does not promise; ``*`` in its path is any key or index.

    It may also be a text that lists names.
    """

    route: str
    path: str
    reason: str

    def matches(self, path: str) -> bool:
        steps, wanted = STEP.findall(path), STEP.findall(self.path)
        return len(steps) == len(wanted) and all(
            part in (step, ".*", "[*]") for step, part in zip(steps, wanted, strict=True)
        )


class Comparison:
    """Compares exchanges in the order in which they were made; one for each pair of sides."""

    def __init__(self, unordered: Sequence[Unordered] = ()) -> None:
        self.relations = Relations()
        self._unordered = unordered

    def begin_anew(self, known: Iterable[tuple[str, str]]) -> None:
        """Forget which values stand for which, but for these."""
        self.relations = Relations()
        for left, right in known:
            self.relations.introduce(left, right)

    def compare(self, left: Exchange, right: Exchange) -> list[Difference]:
        """The differences between two exchanges of one test; empty when they are the same."""
        differences = list(self._requests(left.request, right.request))
        if left.response is None or right.response is None:
            if left.response is not right.response or left.error != right.error:
                differences.append(
                    Difference(
                        "response", "value", parts.shown_answer(left), parts.shown_answer(right)
                    )
                )
            return differences
        for clock, exchange, response in (
            (self.relations.left, left, left.response),
            (self.relations.right, right, right.response),
        ):
            clock.set(response.headers.get("date"), exchange.started + exchange.seconds)
        where = route(left.request.method, left.request.url)
        differences += self._responses(where, left.response, right.response)
        return differences

    def _requests(self, left: Request, right: Request) -> Iterator[Difference]:
        # Each side has its own address, and its links have to lead there.
        self.relations.relate("origin", parts.origin_of(left.url), parts.origin_of(right.url))
        if left.method != right.method:
            yield Difference("request method", "value", left.method, right.method)
        yield from self._text("request url", parts.path_of(left.url), parts.path_of(right.url))
        yield from self._headers(
            "request header", parts.own_headers(left.headers), parts.own_headers(right.headers)
        )
        yield from self._bodies("request", "", left.body, right.body)

    def _responses(self, where: str, left: Response, right: Response) -> Iterator[Difference]:
        if left.status != right.status:
            yield Difference("status", "value", str(left.status), str(right.status))
        if left.reason != right.reason:
            yield Difference("reason", "value", left.reason, right.reason)
        yield from self._headers("header", parts.answered(left), parts.answered(right))
        yield from self._bodies("body", where, left.body, right.body)

    def _headers(
        self, place: str, left: Mapping[str, str], right: Mapping[str, str]
    ) -> Iterator[Difference]:
        for name in sorted({*left, *right}):
            value, other = left.get(name), right.get(name)
            if value is None:
                yield Difference(f"{place} {name}", "extra", "", other or "")
            elif other is None:
                yield Difference(f"{place} {name}", "missing", value, "")
            else:
                yield from self._text(f"{place} {name}", value, other)

    def _bodies(self, place: str, where: str, left: bytes, right: bytes) -> Iterator[Difference]:
        text, other = parts.text_of(left), parts.text_of(right)
        if isinstance(text, bytes) or isinstance(other, bytes):
            if text != other:
                yield Difference(place, "value", repr(left), repr(right))
            return
        if self._same_text(text, other):
            return
        try:
            values = json.loads(text), json.loads(other)
        except ValueError:
            yield from self._lines(place, text, other)
            return
        yield from self._json(place, where, "$", *values)

    def _lines(self, place: str, left: str, right: str) -> Iterator[Difference]:
        """The difference of two texts, without the lines that they have in common at both ends."""
        why = self.relations.texts(left, right)
        if why is None:
            return
        lines, others = left.splitlines(keepends=True), right.splitlines(keepends=True)
        for end in (0, -1):
            while lines and others and self.relations.texts(lines[end], others[end]) is None:
                del lines[end], others[end]
        yield Difference(place, parts.kind_of(why), "".join(lines), "".join(others), why)

    def _same_text(self, left: str, right: str) -> bool:
        """Whether two bodies are the same as they stand, which is quicker than to parse them."""
        if not left and not right:
            return True
        mine, others = pieces(left), pieces(right)
        if left != right and parts.made_up(mine) == parts.made_up(others):
            # Both sides have the same values in another order: the position of a value must not
            # decide which other value it stands for.
            return False
        return self.relations.parts(mine, others) is None

    def _text(self, place: str, left: str, right: str) -> Iterator[Difference]:
        why = self.relations.texts(left, right)
        if why is not None and REFUSED in left and REFUSED in right:
            why = self.relations.texts(*(" ".join(text.split()) for text in (left, right)))
        if why is not None:
            yield Difference(place, parts.kind_of(why), left, right, why)

    def _json(
        self, place: str, where: str, path: str, left: Any, right: Any
    ) -> Iterator[Difference]:
        at = f"{place} {path}"
        if type(left) is not type(right):
            yield Difference(at, "type", parts.shown(left), parts.shown(right))
        elif isinstance(left, dict):
            yield from self._objects(place, where, path, left, right)
        elif isinstance(left, list):
            yield from self._lists(place, where, path, left, right)
        elif isinstance(left, str):
            if not self._has_same_words(where, path, left, right):
                yield from self._text(at, left, right)
        elif left != right:
            yield Difference(at, "value", parts.shown(left), parts.shown(right))

    def _objects(
        self, place: str, where: str, path: str, left: dict[str, Any], right: dict[str, Any]
    ) -> Iterator[Difference]:
        partner = self._partners(where, path, left, right)
        for key, value in left.items():
            other = partner.get(key)
            if other is None:
                yield Difference(f"{place} {path}.{key}", "missing", parts.shown(value), "")
                continue
            yield from self._text(f"{place} {path}.{key} (key)", key, other)
            yield from self._json(place, where, f"{path}.{key}", value, right[other])
        for key in right:
            if key not in partner.values():
                yield Difference(f"{place} {path}.{key}", "extra", "", parts.shown(right[key]))

    def _partners(
        self, where: str, path: str, left: dict[str, Any], right: dict[str, Any]
    ) -> dict[str, str]:
        """Which key of the right object belongs to which of the left one.

        A key that a side has made up belongs to what it stands for, if that is known; then to
        itself; else to the first one left whose value can be related.
        """
        partner = {
            key: other
            for key in left
            if (other := self.relations.right_of("uuid", key) or key) in right
        }
        free = [key for key in right if key not in partner.values()]
        for key in left:
            if key in partner or not TOKEN.fullmatch(key):
                continue
            for other in free:
                if TOKEN.fullmatch(other) and self._fits(where, path, left[key], right[other]):
                    partner[key] = other
                    free.remove(other)
                    break
        return partner

    def _lists(
        self, place: str, where: str, path: str, left: list[Any], right: list[Any]
    ) -> Iterator[Difference]:
        if len(left) != len(right):
            entries = counted(len(left), "entry", "entries")
            why = f"{entries}, {len(right)} on the other side; those of one side are shown"
            here, there = parts.alone(left, right)
            at = f"{place} {path}"
            yield Difference(at, "length", parts.shown(here), parts.shown(there), why)
            return
        if self._is_unordered(where, path):
            yield from self._any_order(place, where, path, left, right)
            return
        for number, (value, other) in enumerate(zip(left, right, strict=True)):
            yield from self._json(place, where, f"{path}[{number}]", value, other)

    def _has_same_words(self, where: str, path: str, left: str, right: str) -> bool:
        """Whether a text without order differs in the order of its words alone."""
        if left == right or not self._is_unordered(where, path):
            return False
        words, others = (sorted(BETWEEN_WORDS.split(text)) for text in (left, right))
        return words == others

    def _any_order(
        self, place: str, where: str, path: str, left: list[Any], right: list[Any]
    ) -> Iterator[Difference]:
        free = list(right)
        for number, value in enumerate(left):
            fitting = (other for other in free if self._fits(where, f"{path}[*]", value, other))
            match = next(fitting, ABSENT)
            if match is ABSENT:
                at = f"{place} {path}[{number}]"
                yield Difference(at, "missing", parts.shown(value), parts.shown(free[:1]))
            else:
                free.remove(match)

    def _fits(self, where: str, path: str, left: Any, right: Any) -> bool:
        """Whether two values can be related; if so, they are."""
        trial = Comparison(self._unordered)
        trial.relations = self.relations.trial()
        if any(True for _ in trial._json("", where, path, left, right)):
            return False
        trial.relations.commit()
        return True

    def _is_unordered(self, where: str, path: str) -> bool:
        return any(rule.route == where and rule.matches(path) for rule in self._unordered)


def ask_same(left: Request, right: Request) -> bool:
    """Whether two requests ask the same: what sides make up themselves may differ."""
    return not any(True for _ in Comparison(())._requests(left, right))
