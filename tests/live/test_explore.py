"""Long searches of `explore` on a placement in this process, and what they have to find."""

import re
from pathlib import Path

import pytest

from harness.cli.program import main
from harness.core.errors import HarnessError

pytestmark = pytest.mark.long
AIM = 30


def explored(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[object, str]:
    """The exit code of the command, and what it has written."""
    with pytest.raises(SystemExit) as ended:
        main(["explore", "--target", "embedded", *words])
    assert not isinstance(ended.value, HarnessError)
    return ended.value.code, capsys.readouterr().out


def test_most_microversions_show_their_documented_change(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ("--microversions", "all", "--seed", "1", "--output", str(tmp_path))
    _, out = explored(capsys, *words)
    shown = re.search(r"explore: (\d+) of 39 documented changes shown", out)
    assert shown is not None, out
    assert int(shown[1]) >= AIM


@pytest.mark.parametrize("seed", range(5))
def test_the_reshaper_takes_what_inventories_refuse(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, seed: int
) -> None:
    words = ("--routes", "--seed", str(seed), "--most", "1", "--output", str(tmp_path))
    code, out = explored(capsys, *words)
    assert code == 1
    assert "PUT /resource_providers/{}/inventories | POST /reshaper: status (400 | 204)" in out
    (suite,) = tmp_path.iterdir()
    assert suite.read_text().count("- name:") <= 6
