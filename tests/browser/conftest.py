"""A browser for the tests of pages.

Without a Chromium, the first test says how to get one; the long tests install Debian's where root
can.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import _chromium
from tests.browser._chromium import Page

MISSING = "No Chromium is installed. On Debian and Ubuntu: apt-get install chromium"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def page(request: pytest.FixtureRequest, folder: Path) -> Iterator[Page]:
    """A browser. Where long tests are chosen, it may be installed."""
    chosen = [item for item in request.session.items if item.path == request.path]
    if _chromium.program() is None:
        wants = any(item.get_closest_marker("long") for item in chosen)
        problem = _chromium.install() if wants else MISSING
        if problem:
            pytest.skip(problem)
    with _chromium.browser(folder / "profile") as page:
        yield page
