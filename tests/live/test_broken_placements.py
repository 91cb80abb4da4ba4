"""The bench: placements that are broken on purpose are caught, each by the right checker."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import _broken
from tests.live._broken import BROKEN, Broken
from tests.live._live import Commands, docker, own

# Defects that the first round shows.
SMOKE = ("capacity-is-not-checked", "each-maker-of-a-trait-has-made-it")
# Load for a broken placement.
LOAD, SMOKE_LOAD = ("--seconds", "10"), ("--rounds", "1")


class Bench:
    """A stack with a checkout of placement, whose code is replaced for each broken placement."""

    def __init__(self, commands: Commands, folder: Path) -> None:
        self._commands = commands
        self._sound = _broken.checkout(folder / "sound")
        self.tree = folder / "checkout"
        shutil.copytree(self._sound, self.tree)

    def check(
        self, workload: str, broken: Broken | None, code: int, load: tuple[str, str] = LOAD
    ) -> str:
        """Run a workload on the checkout, broken or sound; give what is said."""
        shutil.rmtree(self.tree / "placement")
        shutil.copytree(self._sound / "placement", self.tree / "placement")
        if broken is not None:
            broken.apply(self.tree)
        fault: tuple[str, ...] = ()
        if broken is not None and broken.setting:
            server = f"{self._commands.name}-mariadb-1"
            docker("exec", server, "mariadb", "-e", f"SET GLOBAL {broken.setting}")
            fault = ("--fault", broken.fault)
        words = (
            "--workload",
            workload,
            *load,
            "--strict",
            "--replicas",
            "3",
            *fault,
        )
        kept = ("--stack", "reuse", "--placement", str(self.tree))
        return self._commands.harness("check", *words, *kept, code=code)


@pytest.fixture(scope="module")
def bench(folder: Path) -> Iterator[Bench]:
    with own(folder / "broken") as commands:
        yield Bench(commands, commands.folder)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(one, id=one.name, marks=() if one.name in SMOKE else pytest.mark.long)
        for one in BROKEN
    ],
)
def test_a_broken_placement_is_caught(bench: Bench, broken: Broken) -> None:
    load = SMOKE_LOAD if broken.name in SMOKE else LOAD
    if broken.setting:
        bench.check("capacity", None, 0)
    output = bench.check(broken.workload, broken, 1, load)
    assert f"VIOLATED   {broken.promise}" in output


# Workloads in which placement 16 and MariaDB 11.8 break no promise.
@pytest.mark.long
@pytest.mark.parametrize("workload", ["capacity"])
def test_a_sound_placement_raises_no_alarm(bench: Bench, workload: str) -> None:
    assert "check: held" in bench.check(workload, None, code=0)
