"""The services' bytecode: how it is put into one file, and found there."""

import importlib.util
import py_compile
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PYTHON = Path(__file__).parents[3] / "services" / "python"


@pytest.fixture(scope="module")
def scripts() -> Any:
    """bytecode.py and assemble.py, which are no modules of the harness."""
    sys.path.insert(0, str(PYTHON))
    try:
        yield importlib.import_module("bytecode"), importlib.import_module("assemble")
    finally:
        sys.path.remove(str(PYTHON))
        for name in ("bytecode", "assemble"):
            sys.modules.pop(name, None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root directory with two folders of sys.path, all compiled."""
    sources = {
        "first/both.py": "where = 'first'",
        "second/both.py": "where = 'second'",
        "first/early.py": "",
        "first/package/__init__.py": "from package.inner import value",
        "first/package/inner.py": "value = 7\ndef fails():\n    raise KeyError('here')",
        "first/migrations/0001.py": "",
        "second/apart/__init__.py": "",
        "second/apart/inner.py": "",
        "second/apartment.py": "",
    }
    for name, text in sources.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        py_compile.compile(str(path), dfile=f"/{name}")
    return tmp_path


@pytest.fixture
def finder(scripts: tuple[Any, Any], root: Path) -> Any:
    bytecode, assemble = scripts
    folders = [root / "first", root / "second"]
    archive = root / "archive"
    assemble.write_archive(archive, root, folders, early={"early"}, apart=["apart"])
    return bytecode.Finder(str(archive))


def load(finder: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = finder.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def test_modules_and_packages_are_found(finder: Any) -> None:
    assert sorted(finder.index) == ["apartment", "both", "package", "package.inner"]
    spec = finder.find_spec("package")
    assert spec.origin == "/first/package/__init__.py"
    assert spec.submodule_search_locations == ["/first/package"]
    assert finder.find_spec("package.inner").submodule_search_locations is None


def test_what_is_not_there_is_left_to_others(finder: Any) -> None:
    for name in ("early", "apart", "apart.inner", "migrations.0001", "no.such"):
        assert finder.find_spec(name) is None


def test_the_first_folder_counts(finder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(finder, "both", monkeypatch).where == "first"


def test_its_bytecode_is_moved_and_no_others(finder: Any, root: Path) -> None:
    left = {path.name.partition(".")[0] for path in root.rglob("*.pyc")}
    # second/both.py is never imported, but asked for by its path it is compiled all the same.
    assert left == {"early", "0001", "__init__", "inner", "both"}
    assert {path.parents[1].name for path in root.rglob("inner.*.pyc")} == {"apart"}


def test_a_modules_code_is_read_when_it_is_loaded(
    finder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = load(finder, "package.inner", monkeypatch)
    assert load(finder, "package", monkeypatch).value == 7
    assert inner.__file__ == "/first/package/inner.py"
    with pytest.raises(KeyError) as raised:
        inner.fails()
    # By this path a traceback finds the lines that it shows.
    assert traceback.extract_tb(raised.tb)[-1].filename == "/first/package/inner.py"


def test_it_is_installed_once(scripts: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    bytecode, _ = scripts
    monkeypatch.setattr(bytecode.Finder, "__init__", lambda self, archive: None)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    before = len(sys.meta_path)
    # As a virtual environment does, whose directory is also called lib64.
    bytecode.install()
    bytecode.install()
    assert len(sys.meta_path) == before + 1
    assert isinstance(sys.meta_path[-2], bytecode.Finder)
