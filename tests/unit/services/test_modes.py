"""Images are the same from every clone: no file in an image has its mode from a umask."""

import re
from pathlib import Path

import pytest

from harness.core.paths import SERVICES

# Files that a build itself reads, as root, and modules that uv installs with modes of its own.
READ_BY_BUILDS = re.compile(r"\s(/tmp/\S*|/src|/)$")


@pytest.mark.parametrize(
    "file", sorted(SERVICES.glob("*/Dockerfile")), ids=lambda path: path.parent.name
)
def test_each_file_that_stays_in_an_image_has_a_mode_of_the_dockerfiles(file: Path) -> None:
    copies = [line for line in file.read_text().splitlines() if line.startswith(("COPY", "ADD"))]
    from_clone = [line for line in copies if "--from=" not in line]
    assert not [
        line for line in from_clone if "--chmod=" not in line and not READ_BY_BUILDS.search(line)
    ]
