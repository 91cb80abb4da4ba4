"""Files are cut from an image as long as the reason for it holds."""

import importlib.machinery
import importlib.util
import marshal
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.core.paths import SERVICES


def load(name: str, path: Path) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


bytecode: Any = load("bytecode", SERVICES / "python" / "bytecode.py")
VENV = Path("/opt/placement")
# Path below site-packages -> text.
SITE = {
    "placement/__init__.py": "",
    "placement/cmd.py": "",
    "heavy/__init__.py": "",
    "heavy/used.py": "",
    "heavy/unused.py": "",
    "heavy/data/a.json": "{}",
    "gone/__init__.py": "",
    "stand/__init__.py": "",
    "stand/part.py": "",
    "alone.py": "",
    "alone-1.0.dist-info/METADATA": "Name: Alone\nVersion: 1.0\n",
    "alone-1.0.dist-info/RECORD": "alone.py,,\nalone-1.0.dist-info/METADATA,,\n",
    "stand-2.0.dist-info/METADATA": "Name: Stand\nVersion: 2.0\n",
    "stand-2.0.dist-info/RECORD": "stand/__init__.py,,\nstand-2.0.dist-info/METADATA,,\n",
    "heavy-1.0.dist-info/RECORD": "heavy/__init__.py,,\n",
}
CUTS = """
unopened site heavy/unused.py
unopened site heavy/used.py      # This placement imports it.
unopened site heavy/data/**/*
unopened site gone/**/*
unopened site placement/cmd.py   # placement's own modules stay.
unopened site alone.py
standin  site stand     Stand==2.0   # with its part
late     site heavy     Heavy==1.0
"""


class Built:
    """An assembled root, and the program that cuts from it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rootfs, self.folder = folder / "rootfs", folder
        self.site = self.rootfs / "opt/placement/lib/python3.13/site-packages"
        lib = self.rootfs / sysconfig.get_path("stdlib").lstrip("/")
        (lib / "lib-dynload").mkdir(parents=True)
        codes, index = [b"0123456789"] * len(SITE), {}
        for number, (name, text) in enumerate(SITE.items()):
            path = self.site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if path.suffix == ".py":
                index[name] = (f"/{path.relative_to(self.rootfs)}", 10 * number, 10)
        head = marshal.dumps(index)
        size = len(head).to_bytes(bytecode.HEAD, "little")
        (self.site / bytecode.NAME).write_bytes(b"".join([size, head, *codes]))
        self.cut: Any = load("cut", SERVICES / "placement" / "cut.py")
        self.broken_by: set[str] = set()
        self.asked: list[list[str]] = []
        monkeypatch.setattr(self.cut, "TOOLS", SERVICES / "python")
        monkeypatch.setattr(self.cut.Image, "imported", lambda _, lines: self._imported(lines))
        monkeypatch.setattr(self.cut.Image, "remove_libraries", lambda _: None)

    def _imported(self, lines: Iterable[str]) -> set[Path] | None:
        self.asked.append([*lines])
        if self.broken_by & {*self.asked[-1]}:
            return None
        return {self.site / "heavy/__init__.py", self.site / "heavy/used.py"}

    def run(self, cuts: str = CUTS, keep: str = "") -> set[str]:
        """Cut; give the files that are left, without those that cut.py itself writes."""
        listed, kept = self.folder / "cuts.txt", self.folder / "keep.txt"
        listed.write_text(cuts)
        kept.write_text(keep)
        self.cut.main(self.rootfs, VENV, listed, kept)
        made = {"left_out.py", "left_out.pth", "left_out.txt", "late.txt", bytecode.NAME}
        files = (path for path in self.site.rglob("*") if path.is_file())
        return {str(path.relative_to(self.site)) for path in files} - made

    @property
    def explained(self) -> list[str]:
        return (self.site / "left_out.txt").read_text().splitlines()


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    return Built(tmp_path, monkeypatch)


GONE = {
    "heavy/unused.py",
    "heavy/data/a.json",
    "gone/__init__.py",
    "stand/__init__.py",
    "stand/part.py",
    "alone.py",
    "alone-1.0.dist-info/METADATA",
    "alone-1.0.dist-info/RECORD",
    "stand-2.0.dist-info/METADATA",
    "stand-2.0.dist-info/RECORD",
}


def test_what_is_not_wanted_goes_with_its_bytecode_metadata_and_folders(built: Built) -> None:
    assert built.run() == {*SITE} - GONE
    assert not (built.site / "gone").exists()
    assert built.explained == [
        "unopened alone",
        "unopened gone",
        "unopened heavy.unused",
        "standin stand",
    ]
    assert (built.site / "late.txt").read_text() == "late heavy\n"
    finder = bytecode.Finder(str(built.site / bytecode.NAME))
    assert {*finder.index} == {name for name in {*SITE} - GONE if name.endswith(".py")}
    assert all(size == 10 for _, _, size in finder.index.values())


def test_what_the_user_keeps_stays(built: Built) -> None:
    left = built.run(keep="gone   # since I need it\nstand.part\nheavy.unused\n")
    assert {"gone/__init__.py", "stand/part.py", "stand/__init__.py", "heavy/unused.py"} <= left
    assert built.explained == ["unopened alone"]


def test_files_of_a_package_stay_with_it(built: Built) -> None:
    left = built.run(keep="heavy\n")
    assert {"heavy/data/a.json", "heavy/unused.py"} <= left


def test_another_version_of_a_distribution_is_not_trusted_to_a_stand_in(built: Built) -> None:
    left = built.run(CUTS.replace("Stand==2.0", "Stand==1.9"))
    assert "stand/part.py" in left
    assert built.asked == [["late heavy"]]


def test_a_placement_that_needs_what_has_a_stand_in_gets_it_back(built: Built) -> None:
    built.broken_by = {"standin stand"}
    assert "stand/part.py" in built.run()
    assert built.asked == [["standin stand", "late heavy"], []]


def test_an_image_that_is_broken_already_is_not_cut(built: Built) -> None:
    built._imported = lambda lines: None  # type: ignore[method-assign]
    with pytest.raises(SystemExit, match="before anything was cut"):
        built.run()


def test_nothing_is_changed_where_nothing_is_cut(built: Built) -> None:
    assert built.run("# Nothing is cut.\n") == {*SITE}
    assert not (built.site / "left_out.pth").exists()
    assert built.asked == []
