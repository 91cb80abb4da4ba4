"""Recordings: what is written comes back; what was cut or edited is noticed; no secret is in it."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.core.exchange import Exchange, Request, Response
from harness.parity.recording import Header, Recording, suite_digest, writing

TOKEN = "gAAAAABtoken-that-must-not-be-read"
PASSWORD = "a-password-of-the-stack"
HEADER = Header("stack", "2026-11-25T16:53:15Z", "16.0.0", ("1.0", "1.39"), {"one": "ab"})
EXCHANGE = Exchange(
    "one",
    "first",
    Request("PUT", "http://h/placement/traits/CUSTOM_Ä", {"x-auth-token": TOKEN}, b"\xff\x00"),
    Response(201, "Created", {"location": "http://h/placement/traits/X"}, '{"ä": 1}'.encode()),
    12.5,
    0.25,
)
FAILED = replace(EXCHANGE, test="second", response=None, error="TimeoutError: no answer")


def record(path: Path, *exchanges: Exchange) -> Path:
    with writing(path, HEADER, [TOKEN, PASSWORD]) as writer:
        for exchange in exchanges:
            writer.write(exchange)
    return path


@pytest.fixture(params=["run.jsonl", "run.jsonl.gz", "run.jsonl.zst"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param.endswith(".zst"):
        pytest.importorskip("zstandard")
    return tmp_path / str(request.param)


def test_what_was_written_comes_back_but_for_secrets(path: Path) -> None:
    recording = Recording(record(path, EXCHANGE, FAILED))
    hidden = replace(EXCHANGE.request, headers={"x-auth-token": "(hidden)"})
    assert recording.header == HEADER
    assert list(recording.exchanges()) == [
        replace(EXCHANGE, request=hidden),
        replace(FAILED, request=hidden),
    ]


def test_no_secret_is_in_the_file(tmp_path: Path) -> None:
    body = json.dumps({"auth": {"password": PASSWORD}, "again": f"said {TOKEN}"}).encode()
    one = replace(EXCHANGE, request=replace(EXCHANGE.request, body=body))
    text = record(tmp_path / "run.jsonl", one).read_text()
    assert TOKEN not in text
    assert PASSWORD not in text


def test_the_same_exchanges_make_the_same_file(tmp_path: Path) -> None:
    first = record(tmp_path / "a.jsonl.gz", EXCHANGE).read_bytes()
    assert record(tmp_path / "b.jsonl.gz", EXCHANGE).read_bytes() == first


def test_a_recording_is_never_written_over(tmp_path: Path) -> None:
    kept = tmp_path / "run.jsonl"
    kept.write_text("kept")
    with pytest.raises(UsageError, match="exists already, and is never written over"):
        record(kept, EXCHANGE)
    assert kept.read_text() == "kept"


def test_a_run_that_fails_leaves_no_recording(tmp_path: Path) -> None:
    def broken() -> None:
        with writing(tmp_path / "run.jsonl", HEADER) as writer:
            writer.write(EXCHANGE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert list(tmp_path.iterdir()) == []


def edited(tmp_path: Path, change: str) -> Path:
    path = record(tmp_path / "run.jsonl", EXCHANGE, FAILED)
    lines = path.read_text().splitlines(keepends=True)
    text = {
        "empty": "",
        "cut in a line": path.read_text()[:-40],
        "cut between lines": "".join(lines[:-1]),
        "a line less": "".join([*lines[:2], *lines[3:]]),
        "a status": path.read_text().replace('"status": 201', '"status": 200'),
        "the header": path.read_text().replace('"placement": "16.0.0"', '"placement": "15.0.0"'),
        "something else": "one\ntwo\n",
        "other JSON": '{"a": 1}\n{"b": 2}\n',
        "a list": "[]\n[]\n",
        "newer": path.read_text().replace("recording/1", "recording/2", 1),
    }[change]
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("empty", "is empty"),
        ("cut in a line", "was cut: it has no closing line"),
        ("cut between lines", "was cut: it has no closing line"),
        ("a line less", "was edited: it has 1 exchange, and had 2"),
        ("a status", "was edited: its digest is another one"),
        ("the header", "was edited: its digest is another one"),
        ("something else", "is no recording"),
        ("other JSON", "is no recording"),
        ("a list", "is no recording"),
        ("newer", "has format 2; this version of the harness reads up to 1"),
    ],
)
def test_what_is_no_whole_recording_is_refused(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Recording(edited(tmp_path, change))


def test_a_recording_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no recording .*nowhere\.jsonl"):
        Recording(tmp_path / "nowhere.jsonl")


def test_a_compressed_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = record(tmp_path / "run.jsonl.gz", EXCHANGE, FAILED)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UsageError, match="cannot be read"):
        Recording(path)


def test_a_file_that_is_not_compressed_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl.gz"
    path.write_text("text")
    with pytest.raises(UsageError, match="cannot be read"):
        Recording(path)
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(UsageError, match="is empty"):
        Recording(path)


def test_a_suites_digest_is_of_its_tests_not_of_the_releases_that_they_are_for(
    tmp_path: Path,
) -> None:
    suite = tmp_path / "a.yaml"
    suite.write_text("tests: [{name: only, GET: /}]")
    before = suite_digest(suite)
    suite.write_text('placement: ">=14"\ntests:\n- {name: only, GET: /}  # the same\n')
    assert suite_digest(suite) == before
    suite.write_text("tests: [{name: only, GET: /other}]")
    assert suite_digest(suite) != before
