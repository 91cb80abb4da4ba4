"""The files of an image, layer by layer, and the parts that they are put into."""

import io
import marshal

import pytest

from harness.core.errors import UsageError
from harness.footprint import parts
from harness.footprint.image import Files, read
from harness.footprint.loading import import_times, interpreter
from tests.unit.footprint.images import archive, tar

SITE = "opt/placement/lib/python3.13/site-packages"
RECORD = """placement/__init__.py,sha256=x,4
placement/wsgi/api.py,sha256=x,6
placement-16.0.0.dist-info/RECORD,,
../../../bin/placement-manage,sha256=x,3
"""
METADATA = "Metadata-Version: 2.1\nName: openstack-placement\nVersion: 16.0.0\n\nName: not this\n"


def installed() -> dict[str, bytes | str]:
    return {
        f"{SITE}/placement/__init__.py": b"pass",
        f"{SITE}/placement/wsgi/api.py": b"import",
        f"{SITE}/placement/wsgi/__pycache__/api.cpython-313.pyc": b"code!",
        f"{SITE}/placement/made-later.txt": b"12",
        f"{SITE}/placement-16.0.0.dist-info/RECORD": RECORD.encode(),
        f"{SITE}/placement-16.0.0.dist-info/METADATA": METADATA.encode(),
        "opt/placement/bin/placement-manage": b"#!x",
        "opt/placement/bin/python": "python3",
        "opt/placement/bin/python3": "/usr/bin/python3",
        "usr/bin/python3.13": b"binary",
        "usr/lib/python3.13/json/decoder.py": b"standard",
        "usr/lib/x86_64-linux-gnu/libssl.so.3": b"library",
        "etc/uwsgi.ini": b"ini",
    }


def sizes(files: Files) -> dict[str, int]:
    found = parts.parts(files, parts.Owners(files.records))
    assert sum(part.size for part in found) == files.size
    return {name: size for name, size, _ in parts.by(found, "distribution")}


def test_every_byte_belongs_to_a_distribution_or_to_a_group() -> None:
    own = len(RECORD) + len(METADATA) + len("passimportcode!12#!x")
    assert sizes(read(archive(installed()))) == {
        "openstack-placement 16.0.0": own,
        parts.STDLIB: 8,
        parts.LIBRARIES: 7,
        parts.INTERPRETER: 6,
        parts.OTHERS: 3,
    }


def test_files_that_later_layers_replace_or_remove_count_as_hidden() -> None:
    files = read(
        archive(
            {"a/kept": b"1", "a/replaced": b"22", "a/removed": b"333", "b/c/d": b"4444"},
            {"a/replaced": b"55555", "a/.wh.removed": b"", "b/.wh.c": b""},
            {"e/new": b"666666"},
        )
    )
    assert files.size == 1 + 2 + 3 + 4 + 5 + 6
    assert {file.path for file in files.files if file.hidden} == {
        *("/a/replaced", "/a/removed", "/b/c/d")
    }
    assert {file.path: file.size for file in files.visible} == {
        **{"/a/kept": 1, "/a/replaced": 5},
        "/e/new": 6,
    }
    assert sizes(files)[parts.HIDDEN] == 9


def test_a_directory_that_a_layer_empties_is_hidden_but_for_its_new_files() -> None:
    files = read(archive({"a/b/old": b"1"}, {"a/.wh..wh..opq": b"", "a/b/new": b"22"}))
    assert [file.path for file in files.visible] == ["/a/b/new"]


def test_bytecode_in_an_archive_belongs_to_its_sources() -> None:
    index = marshal.dumps({"placement": (f"/{SITE}/placement/__init__.py", 0, 7)})
    text = len(index).to_bytes(8, "little") + index + b"CODECOD"
    plain = sizes(read(archive(installed())))
    with_archive = sizes(read(archive({**installed(), f"{SITE}/bytecode.archive": text})))
    name = "openstack-placement 16.0.0"
    assert with_archive[name] == plain[name] + 7
    assert with_archive[parts.INDEX] == len(text) - 7


def test_files_of_debian_packages_are_told_by_their_lists() -> None:
    files = {"usr/bin/apt": b"123", "var/lib/dpkg/info/apt.list": b"/.\n/usr/bin/apt\n"}
    assert sizes(read(archive(files)))["apt (Debian)"] == 3


@pytest.mark.parametrize("text", [b"", b"no archive", tar({"other.json": b"{}"})])
def test_an_archive_of_no_image_is_an_error(text: bytes) -> None:
    with pytest.raises(UsageError, match=r"wrote no archive of one image .*docker image ls"):
        read(io.BytesIO(text))


def test_the_interpreter_is_that_of_placements_environment() -> None:
    assert interpreter(read(archive(installed()))) == "/opt/placement/bin/python"


def test_an_image_without_placement_or_without_python_is_an_error() -> None:
    with pytest.raises(UsageError, match="has no package placement"):
        interpreter(read(archive({"usr/bin/python3": b"x"})))
    with pytest.raises(UsageError, match="has no Python in it"):
        interpreter(read(archive({f"{SITE}/placement/__init__.py": b""})))


def test_a_modules_first_importer_is_the_one_above_it() -> None:
    lines = [
        "import time: self [us] | cumulative | imported package",
        "import time:       100 |        100 |     deep",
        "import time:        20 |        120 |   middle",
        "import time:         3 |          3 |   other",
        "import time:         1 |        124 | top",
        "import time:         5 |          5 | next",
        "a line that a module wrote",
    ]
    assert import_times(lines) == {
        "deep": (100, "middle"),
        "middle": (20, "top"),
        "other": (3, "top"),
        "top": (1, ""),
        "next": (5, ""),
    }
