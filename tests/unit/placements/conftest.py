"""No test of this room asks a real package index."""

from pathlib import Path

import pytest

from tests.fakes.package_index import Index, without_network


@pytest.fixture(autouse=True)
def of_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    return without_network(tmp_path, monkeypatch)
