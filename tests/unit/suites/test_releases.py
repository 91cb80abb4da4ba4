"""Which suites are true for which releases of placement."""

from typing import Any

import pytest

from harness.suites import releases


@pytest.mark.parametrize(
    ("only", "answering", "holds"),
    [
        (None, ["13.0.0"], True),
        (">=14", ["14.0.0"], True),
        (">=14", ["13.0.1"], False),
        ("<14", ["13.0.1"], True),
        # Versions of a checkout: a development version comes before its release.
        (">=14", ["15.1.0.dev7"], True),
        (">=16", ["16.0.0.dev3"], False),
        # A stack whose replicas run several: the suite has to be true for each of them.
        (">=14", ["13.0.0", "16.0.0"], False),
        (">=13,<15", ["13.0.0", "14.0.0"], True),
    ],
)
def test_a_suite_is_true_for_the_releases_that_it_names(
    only: str | None, answering: list[str], holds: bool
) -> None:
    suite: dict[str, Any] = {"tests": [], **({"placement": only} if only else {})}
    assert releases.holds(releases.specifier(suite), answering) is holds


@pytest.mark.parametrize("written", [14, 14.0, "14", ["14"], "since 14", True])
def test_what_names_no_releases_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="write a specifier"):
        releases.specifier({"tests": [], "placement": written})
