"""What was cut and is wanted all the same ends in an error that names it, and how to keep it."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.core.paths import SERVICES

LINES = ["unopened xcut.deep", "guarded xguarded", "standin xstand", ""]


@pytest.fixture
def left_out() -> Iterator[ModuleType]:
    """The image's own module, asked last, as in the image."""
    path = SERVICES / "placement" / "left_out.py"
    spec = importlib.util.spec_from_file_location("left_out", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    finder = module.Finder(LINES)
    sys.meta_path.append(finder)
    package = ModuleType("xcut")
    package.__path__ = []
    sys.modules["xcut"] = package
    yield module
    sys.meta_path.remove(finder)
    for name in [name for name in sys.modules if name.startswith(("xcut", "xstand"))]:
        del sys.modules[name]


@pytest.mark.parametrize("name", ["xcut.deep", "xcut.deep.er", "xguarded", "xguarded.part"])
def test_an_import_of_what_was_cut_names_it(left_out: ModuleType, name: str) -> None:
    with pytest.raises(ModuleNotFoundError) as raised:
        importlib.import_module(name)
    kept = "xcut.deep" if name.startswith("xcut") else "xguarded"
    assert f"{kept} is imported, and {kept} was cut from this image" in str(raised.value)
    assert f"the line {kept} to services/placement/keep.txt" in str(raised.value)


def test_a_name_that_is_no_module_does_not_hide_the_error(left_out: ModuleType) -> None:
    with pytest.raises(left_out.CutError, match=r"xcut\.deep was cut"):
        exec("from xcut import deep")


def test_what_was_never_there_stays_a_plain_error(left_out: ModuleType) -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named 'xnever'"):
        importlib.import_module("xnever")
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'xcut\.other'"):
        importlib.import_module("xcut.other")


def test_what_is_there_is_not_looked_up(left_out: ModuleType) -> None:
    sys.meta_path[-1]._kinds = None  # type: ignore[attr-defined]
    assert importlib.import_module("colorsys")
    assert sys.meta_path[-1]._kinds is None  # type: ignore[attr-defined]


def test_a_stand_in_is_imported_and_may_be_named(left_out: ModuleType) -> None:
    sub = importlib.import_module("xstand.sub")
    name: Any = sub.Base

    class Derived(name):  # type: ignore[misc]
        pass

    assert not isinstance(3, name)
    assert not issubclass(int, name)
    assert sub.part.of.it.__name__ == "part.of.it"
    try:
        raise ValueError
    except (name, ValueError):
        pass
    with pytest.raises(AttributeError, match=r"xstand\.sub was cut from this image"):
        _ = sub.__version__
    for use in (
        lambda: name(),
        lambda: Derived(),
        lambda: bool(name),
        lambda: name == 3,
        lambda: name.attribute(),
        lambda: [*name],
        lambda: name[0],
        lambda: 3 in name,
        lambda: name > (1, 2),
    ):
        with pytest.raises(left_out.CutError, match=r"xstand\.sub\.Base.* is used, and xstand"):
            use()


def test_a_late_module_is_imported_when_it_is_used(
    left_out: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "xlate"
    package.mkdir()
    (package / "__init__.py").write_text("import xlate.deep\nVALUE = 3\n")
    (package / "deep.py").write_text("class Base:\n    x = 1\ndef run(n):\n    return n + 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    finder = left_out.Finder(["late xlate"])
    sys.meta_path.insert(0, finder)
    try:
        top: Any = importlib.import_module("xlate")
        names: dict[str, Any] = {}
        exec("from xlate import deep\nfrom xlate.deep import run, Base", names)
        assert isinstance(sys.modules["xlate"], left_out.LateModule)
        assert names["run"](1) == 2
        assert not isinstance(sys.modules["xlate"], left_out.LateModule)
        assert names["deep"].run(2) == 3
        assert top.VALUE == 3

        base: Any = names["Base"]

        class Derived(base):  # type: ignore[misc]
            pass

        assert Derived.x == 1
        assert isinstance(Derived(), base)
        with pytest.raises(AttributeError, match="nothing"):
            _ = names["deep"].nothing
        with pytest.raises(ModuleNotFoundError, match=r"xlate\.none"):
            _ = top.none.attribute
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith("xlate")]:
            del sys.modules[name]
