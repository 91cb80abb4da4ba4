"""Hypothesis's strategy for sequences of calls, in which later calls meet earlier ones."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from harness.parity.explore.calls import Call
from harness.parity.explore.hostile import copied, places_of
from harness.parity.explore.strategies import amounts, any_call, claims, stocked_provider
from harness.parity.explore.world import SHAPES, World

# Steps of a sequence. Short ones seldom let calls meet; what is not needed is left out afterwards.
STEPS = 5, 16
Draw = Callable[[st.SearchStrategy[Any]], Any]


@st.composite
def _again(draw: Draw, calls: Sequence[Call]) -> list[Call]:
    """A former call that wrote something: as it was, or with another amount.

    A provider that shrinks below what is used, or a consumer that takes less than before, comes of
    the same call twice.
    """
    call = draw(st.sampled_from(calls))
    if draw(st.booleans()):
        return [call]
    *way, last = draw(st.sampled_from([*_numbers(call.body)]))
    body = copied(call.body)
    inside = body
    for step in way:
        inside = inside[step]
    inside[last] = draw(amounts)
    return [Call(call.method, call.path, body, version=call.version)]


def _is_ordinary(call: Call) -> bool:
    return call.method in ("POST", "PUT") and call.version is None and not call.headers


def _numbers(body: Any) -> Iterable[tuple[Any, ...]]:
    """The way to each number in a body."""
    for place in places_of(body):
        value = body
        for step in place:
            value = value[step]
        if isinstance(value, int) and not isinstance(value, bool):
            yield place


@st.composite
def sequences(draw: Draw, shapes: Sequence[int] = SHAPES[:1]) -> list[Call]:
    """Sequences of calls; most begin with a provider that has an inventory, and is used."""
    first = draw(st.integers(0, 9)) < 9
    world = World(shapes=shapes)
    calls = list(draw(stocked_provider(world))) if first else []
    for call in calls:
        world.take(call)
    if calls and draw(st.integers(0, 3)) < 3:
        calls += draw(claims(world))
        world.take(calls[-1])
    for _ in range(draw(st.integers(*STEPS))):
        # The last call on each path, so that what was written often is not chosen more often.
        writes = {
            (call.method, call.path): call
            for call in calls
            if _is_ordinary(call) and any(_numbers(call.body))
        }
        again = bool(writes) and draw(st.booleans())
        more = draw(_again([*writes.values()]) if again else any_call(world))
        for call in more:
            world.take(call)
        calls += more
    return calls
