"""The frame of the pages that the harness writes: each is one HTML file that needs no network."""

import json
from pathlib import Path
from typing import Any

KIT = Path(__file__).parent


def filled(template: Path, title: str, data: Any) -> str:
    """The page: its template with the common head and script, and with the data.

    ``{{HEAD}}`` stands at the template's beginning, ``{{SCRIPT}}`` before its own script.
    """
    # JSON in a script element may hold no end tag.
    written = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    head = (KIT / "head.html").read_text().replace("{{TITLE}}", title)
    style = (KIT / "kit.css").read_text()
    script = (
        f'<script type="application/json" id="data">{written}</script>\n'
        f"<script>\n{(KIT / 'kit.js').read_text()}</script>"
    )
    page = template.read_text().replace("{{HEAD}}", head.replace("{{STYLE}}", style).rstrip())
    # The data come last: they may hold whatever stands for something else.
    return page.replace("{{SCRIPT}}", script)
