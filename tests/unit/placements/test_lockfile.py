"""Which dependencies a placement has."""

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.placements import lockfile
from harness.placements.specs import resolve
from tests.fakes.package_index import Index, tree


def test_a_release_has_the_dependencies_of_its_own_date(of_the_index: Index) -> None:
    found = resolve("15.0.0")
    assert (found.kind, found.version, found.date) == ("release", "15.0.0", "2026-04-15")
    assert found.title == "15.0.0"
    words = of_the_index.words_with("--generate-hashes")
    assert words[words.index("--exclude-newer") + 1] == "2026-04-15"
    # What serves it is as in every other image; a point release is later than its series.
    exempt = [word for word in words if word.endswith("2999-12-31")]
    assert exempt == [f"{n}=2999-12-31" for n in ("openstack-placement", *lockfile.SERVERS)]


def test_a_series_that_is_not_known_here_has_the_date_of_its_first_release() -> None:
    assert resolve("17.0.0").date == "2026-10-15"


def test_constraints_take_the_place_of_a_date(tmp_path: Path, of_the_index: Index) -> None:
    limits = tmp_path / "upper-constraints.txt"
    limits.write_text("oslo.config===9.7.1\npymysql===1.0.0\n")
    found = resolve("15.0.0", limits)
    assert found.date is None
    words = of_the_index.words_with("--generate-hashes")
    assert "--exclude-newer" not in words
    assert found.content != resolve("15.0.0").content
    assert not resolve("16.0.0", limits).locked


def test_dependencies_that_do_not_fit_ask_for_constraints(tmp_path: Path) -> None:
    checkout = tree(tmp_path / "placement", requirements="impossible>=3\n")
    with pytest.raises(UsageError, match=r"\(of today\) do not fit together") as caught:
        resolve(str(checkout))
    assert "--placement-constraints FILE" in caught.value.remedy
    limits = tmp_path / "limits.txt"
    limits.touch()
    with pytest.raises(UsageError, match="do not fit together") as caught:
        resolve(str(checkout), limits)
    assert "Correct the file" in caught.value.remedy


def test_constraints_that_are_not_there_are_named() -> None:
    with pytest.raises(UsageError, match="--placement-constraints /nowhere: there is no such"):
        resolve("15.0.0", Path("/nowhere"))
