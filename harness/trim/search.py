"""Finds large sets that pass a trial, with few trials."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")
# Gives the items of a set that are to blame for its failure, () if that cannot be told, or None
# for a set that passes.
Trial = Callable[[Sequence[T]], Sequence[T] | None]


def passing(
    items: Iterable[T], trial: Trial[T], refuse: Callable[[T], object] = lambda _: None
) -> list[T]:
    """The items that pass together, of which the largest should come first.

    All are tried at once. Items that a trial blames are left out; where it blames none, the items
    are halved. ``refuse`` is called with each item that does not pass, after the trial that said
    so. The number of trials is about 2 k log(n), where k items of n do not pass.
    """
    accepted: list[T] = []
    refused: list[T] = []

    def settle(some: Sequence[T], fails: bool = False) -> None:
        """Settle some items. ``fails`` says that they are known not to pass with the accepted."""
        rest = [*some]
        while rest:
            blamed = () if fails else trial([*accepted, *rest])
            if blamed is None:
                accepted.extend(rest)
                return
            out = [item for item in rest if item in blamed] or rest[: len(rest) == 1]
            if not out:
                middle, before = (len(rest) + 1) // 2, len(refused)
                settle(rest[:middle])
                # If all of the first half passes, an item of the second half is to blame.
                settle(rest[middle:], fails=len(refused) == before)
                return
            for item in out:
                refused.append(item)
                refuse(item)
            rest = [item for item in rest if item not in out]
            fails = False

    settle([*items])
    return accepted
