"""Choices that Hypothesis makes, one number each.

A strategy that is made anew for each choice, as of the resources that are there, costs ten times
the choice: Hypothesis examines each strategy before its first use.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

Choice = TypeVar("Choice")
Draw = Callable[[st.SearchStrategy[Any]], Any]


@functools.cache
def _numbers(lowest: int, highest: int) -> st.SearchStrategy[int]:
    return st.integers(lowest, highest)


def number(draw: Draw, lowest: int, highest: int) -> int:
    """A number, both limits included."""
    chosen: int = draw(_numbers(lowest, highest))
    return chosen


def pick(draw: Draw, choices: Sequence[Choice]) -> Choice:
    """One of the choices; what is there several times is chosen more often."""
    return choices[number(draw, 0, len(choices) - 1)]


def some(draw: Draw, choices: Sequence[Choice], most: int) -> list[Choice]:
    """Up to ``most`` of the choices, each once."""
    picked = [pick(draw, choices) for _ in range(number(draw, 0, most))]
    return [*dict.fromkeys(picked)]


def happens(draw: Draw, times: int) -> bool:
    """True in so many of ten cases."""
    return number(draw, 0, 9) < times
