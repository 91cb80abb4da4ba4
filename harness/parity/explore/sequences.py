"""Hypothesis's strategy for sequences of calls, in which later calls meet earlier ones."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from harness.parity.explore import reading, writing
from harness.parity.explore.calls import Call
from harness.parity.explore.choosing import Draw, happens, number, pick
from harness.parity.explore.hostile import copied, hostile, places_of
from harness.parity.explore.world import SHAPES, World, amount

# Steps of a sequence. Short ones seldom let calls meet; what is not needed is left out afterwards.
STEPS = 6, 18
Strategy = Callable[[Draw, World], list[Call]]
# What there is most to, comes most often.
WRITING: Sequence[Strategy] = (
    *(writing.allocate, writing.allocate, writing.stock, writing.stock, writing.provider),
    *(writing.provider, writing.describe, writing.define, writing.reshape),
)
READING: Sequence[Strategy] = (
    *(reading.read, reading.read, reading.providers, reading.providers),
    *(reading.candidates, reading.candidates, reading.candidates),
)


@st.composite
def sequences(
    draw: Draw, shapes: Sequence[int] = SHAPES[:1], version: str | None = None
) -> list[Call]:
    """Sequences of calls; most begin with a provider that has an inventory, and is used.

    ``version`` is the microversion of these first calls: where two microversions are compared, both
    sides get the same ones.
    """
    world = World(shapes=shapes)
    calls = writing.scene(draw, world, version) if happens(draw, 9) else []
    for call in calls:
        world.take(call)
    if calls and happens(draw, 7):
        calls += writing.claim(draw, world)
        world.take(calls[-1])
    for _ in range(number(draw, *STEPS)):
        # The last call on each path, so that what was written often is not chosen more often.
        writes = {
            (call.method, call.path): call
            for call in calls
            if _is_ordinary(call, version) and any(_numbers(call.body))
        }
        again = bool(writes) and happens(draw, 3)
        more = [_again(draw, [*writes.values()])] if again else _call(draw, world)
        for call in more:
            world.take(call)
        calls += more
    return calls


def _call(draw: Draw, world: World) -> list[Call]:
    calls = pick(draw, READING if happens(draw, 5) else WRITING)(draw, world)
    return hostile(draw, calls[-1]) if happens(draw, 1) else calls


def _again(draw: Draw, calls: Sequence[Call]) -> Call:
    """A former call that wrote something: as it was, or with another amount.

    A provider that shrinks below what is used, or a consumer that takes less than before, comes of
    the same call twice.
    """
    call = pick(draw, calls)
    if happens(draw, 3):
        return replace(call, version=None)
    *way, last = pick(draw, [*_numbers(call.body)])
    body = copied(call.body)
    inside = body
    for step in way:
        inside = inside[step]
    former = inside[last]
    # A number beside the former one, one that is less, or any.
    others = (former - 1, former + 1, former // 2, 1, amount(draw), amount(draw))
    inside[last] = pick(draw, others)
    return Call(call.method, call.path, body)


def _is_ordinary(call: Call, version: str | None) -> bool:
    is_write = call.method in ("POST", "PUT")
    return is_write and call.version in (None, version) and not call.headers


def _numbers(body: Any) -> Iterable[tuple[Any, ...]]:
    """The way to each number in a body."""
    for place in places_of(body):
        value = body
        for step in place:
            value = value[step]
        if isinstance(value, int) and not isinstance(value, bool):
            yield place
