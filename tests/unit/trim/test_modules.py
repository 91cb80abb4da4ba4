"""Modules fall with the only module that imports them, and patterns name files."""

import pytest

from harness.footprint.loading import Loading, Module
from harness.footprint.measure import Footprint
from harness.footprint.parts import Part
from harness.trim import modules
from harness.trim.modules import Candidate, Graph, candidates, files, outermost, patterns

SITE = "/opt/placement/lib/python3.13/site-packages"
LIB = "/usr/lib/python3.13"
# Importer -> what it imports.
IMPORTS = {
    "placement": ["heavy", "light", "heavy.used"],
    "heavy": ["heavy.part", "shared", "only"],
    "heavy.part": ["only.deep"],
    "only": ["only.deep"],
    "light": ["shared"],
}
NAMES = [*IMPORTS, "heavy.used", "shared", "only.deep"]


def footprint(parts: list[Part] | None = None) -> Footprint:
    importers: dict[str, list[str]] = {}
    for importer, names in IMPORTS.items():
        for name in names:
            importers.setdefault(name, []).append(importer)
    loaded = [Module(name, f"{SITE}/{name.replace('.', '/')}.py", 1, "") for name in NAMES]
    loading = Loading("3.13.5", 1.0, loaded, importers, {}, [])
    distributions = dict.fromkeys(NAMES, "Heavy 1.0")
    return Footprint("placement", 0, parts or [], loading, distributions)


@pytest.mark.parametrize(
    ("module", "falls"),
    [
        ("light", {"light"}),
        ("shared", {"shared"}),
        ("only.deep", {"only.deep"}),
        ("only", {"only", "only.deep"}),
        ("heavy.part", {"heavy.part"}),
        # shared is imported by light, too.
        ("heavy", {"heavy", "heavy.part", "heavy.used", "only", "only.deep"}),
    ],
)
def test_what_only_it_imports_falls_with_a_module(module: str, falls: set[str]) -> None:
    assert Graph(footprint()).without(module) == falls


def test_an_alias_has_the_file_of_another_module() -> None:
    graph = Graph(footprint())
    graph.paths["alias.of"] = graph.paths["only.deep"]
    assert graph.is_alias("alias.of")
    assert not graph.is_alias("only.deep")


def test_what_serves_requests_is_no_candidate_nor_what_imports_it() -> None:
    graph = Graph(footprint())
    sizes = dict.fromkeys(NAMES, 10)
    every = {each.module for each in candidates(graph, sizes, (), ())}
    assert every == {*NAMES} - {"placement"}
    some = candidates(graph, sizes, {"only.deep"}, {"shared"})
    assert [each.module for each in some] == ["heavy.part", "heavy.used", "light"]
    assert [each.size for each in some] == [10, 10, 10]


def test_parts_of_a_candidate_wait_for_it() -> None:
    whole = Candidate("a", frozenset({"a", "a.b", "c"}))
    part, other = Candidate("a.b", frozenset({"a.b"})), Candidate("d", frozenset({"d"}))
    assert outermost([whole, part, other]) == [whole, other]


def test_placements_own_files_and_metadata_are_never_cut() -> None:
    paths = [
        f"{SITE}/placement/handler.py",
        f"{SITE}/heavy-1.0.dist-info/RECORD",
        f"{SITE}/bytecode.archive",
        f"{SITE}/heavy/__init__.py",
        f"{SITE}/heavy/__pycache__/__init__.archived.pyc",
        f"{SITE}/heavy/data.json",
        f"{LIB}/lib-dynload/_ssl.cpython-313-x86_64-linux-gnu.so",
        "/etc/passwd",
    ]
    found = files(footprint([Part(path, 10, "", "") for path in paths]))
    assert [(file.root, file.path, file.size, file.module) for file in found] == [
        ("lib", "lib-dynload/_ssl.cpython-313-x86_64-linux-gnu.so", 10, "_ssl"),
        ("site", "heavy/__init__.py", 20, "heavy"),
        ("site", "heavy/data.json", 10, ""),
    ]


def test_a_directory_of_which_all_goes_is_one_pattern() -> None:
    paths = ["a/__init__.py", "a/b/one.py", "a/b/two.py", "c/d/x.py", "c/d/y.py", "c/z.py", "e.py"]
    every = [modules.File("site", path, 1, "") for path in paths]
    gone = [file for file in every if file.path not in ("a/__init__.py", "e.py")]
    assert patterns(gone, every) == [("site", "a/b/**/*"), ("site", "c/**/*")]
    assert patterns(every[1:2], every) == [("site", "a/b/one.py")]
    assert patterns([], every) == []
