"""HAR: what its specification demands of each entry is there."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from harness.parity.har import as_har, text
from harness.parity.recording import Recording
from tests.unit.parity.test_recording import EXCHANGE, FAILED, record


def test_an_exchange_is_an_entry_of_its_suites_page(tmp_path: Path) -> None:
    log = as_har(Recording(record(tmp_path / "run.jsonl", EXCHANGE, FAILED)))["log"]
    assert log["version"] == "1.2"
    assert [page["id"] for page in log["pages"]] == ["one"]
    first, second = log["entries"]
    assert first["pageref"] == "one"
    assert datetime.fromisoformat(first["startedDateTime"]).timestamp() == EXCHANGE.started
    assert (first["time"], first["comment"]) == (250.0, "first")
    assert (first["response"]["status"], first["response"]["statusText"]) == (201, "Created")
    assert first["response"]["content"]["text"] == '{"ä": 1}'
    assert first["request"]["postData"]["text"]
    assert {"name": "x-auth-token", "value": "(hidden)"} in first["request"]["headers"]
    assert second["response"]["status"] == 0
    assert second["response"]["comment"] == "TimeoutError: no answer"


def test_it_is_json(tmp_path: Path) -> None:
    recording = Recording(record(tmp_path / "run.jsonl", EXCHANGE))
    assert json.loads(text(recording)) == as_har(recording)
