"""What a run does to Python's garbage collector."""

import gc

import pytest


def test_the_collector_is_as_it_was_when_a_run_has_ended(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import gc

        def test_suites_are_not_looked_at_again():
            assert gc.get_freeze_count() > 10_000
            assert gc.get_threshold()[0] > 1000
        """
    )
    before = gc.get_threshold()
    try:
        result = pytester.runpytest_inprocess("--target", "embedded")
    finally:
        gc.unfreeze()
    result.assert_outcomes(passed=1)
    assert gc.get_threshold() == before
