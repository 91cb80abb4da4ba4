"""The frame of the pages: head, style, script and data, in one file that loads nothing."""

import json
import re
from pathlib import Path

import pytest

from harness.report.page import filled

ROOT = Path(__file__).resolve().parents[3] / "harness"
TEMPLATES = sorted(ROOT.glob("*/page.html"))


def test_three_pages_share_it() -> None:
    assert [path.parent.name for path in TEMPLATES] == ["consistency", "footprint", "parity"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.parent.name)
def test_a_page_is_whole_and_loads_nothing(template: Path) -> None:
    data = {"word": "</script>{{HEAD}}{{SCRIPT}}"}
    page = filled(template, "A title", data)
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>A title</title>" in page
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=", page)
    held = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert held is not None
    assert json.loads(held[1]) == data
    assert "{{" not in page.replace(held[1], "")
    # No template repeats the common parts.
    text = template.read_text()
    assert "function element(" not in text
    assert "--ground:" not in text
