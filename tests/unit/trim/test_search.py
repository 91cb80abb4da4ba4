"""The search keeps the largest set that passes, and tells why the rest does not."""

from collections.abc import Sequence

import pytest

from harness.trim.search import passing


class Suites:
    """Passes a set that has none of the ``needed``, and not all of the ``together``."""

    def __init__(self, needed: set[int], together: set[int], *, says: bool = False) -> None:
        self._needed, self._together, self._says = needed, together, says
        self.trials = 0

    def __call__(self, cut: Sequence[int]) -> Sequence[int] | None:
        self.trials += 1
        wanted = [item for item in cut if item in self._needed]
        if wanted:
            return wanted if self._says else ()
        return () if self._together and self._together <= {*cut} else None


@pytest.mark.parametrize("says", [False, True])
@pytest.mark.parametrize("needed", [set(), {0}, {199}, {3, 77, 140}, {7, 8, 9}])
def test_all_that_is_not_needed_passes(needed: set[int], says: bool) -> None:
    suites, refused = Suites(needed, set(), says=says), list[int]()
    assert passing(range(200), suites, refused.append) == sorted({*range(200)} - needed)
    assert sorted(refused) == sorted(needed)


def test_blame_saves_trials() -> None:
    silent, open_ = Suites({3, 77, 140}, set()), Suites({3, 77, 140}, set(), says=True)
    passing(range(200), silent)
    passing(range(200), open_)
    assert open_.trials == 2
    assert silent.trials <= 40


def test_two_that_do_not_go_together_cost_one_of_them() -> None:
    suites = Suites(set(), {3, 150})
    found = passing(range(200), suites)
    assert len(found) == 199
    assert not {3, 150} <= {*found}


def test_nothing_is_asked_about_nothing() -> None:
    suites = Suites(set(), set())
    assert passing([], suites) == []
    assert suites.trials == 0
