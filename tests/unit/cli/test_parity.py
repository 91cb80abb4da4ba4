"""`placement-harness diff`, on the recording of a real devstack that is shipped."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli.parity import diff
from harness.core.errors import UsageError
from harness.core.exchange import Exchange
from harness.parity.offline import found_recording
from harness.parity.recording import Recording, writing

SUITE, TEST = "allocations-atomic", "consumer 1 is not left from an earlier run"
DEVSTACK = found_recording("devstack")


def changed(path: Path, change: Callable[[Exchange], Exchange | None]) -> str:
    """devstack's recording again, with what a change makes of each exchange."""
    recording = Recording(DEVSTACK)
    with writing(path, recording.header) as writer:
        for exchange in map(change, recording.exchanges()):
            if exchange is not None:
                writer.write(exchange)
    return str(path)


def run(*words: str) -> Result:
    return CliRunner().invoke(diff, words)


def test_a_copy_is_the_same(tmp_path: Path) -> None:
    result = run(changed(tmp_path / "copy.jsonl.gz", lambda exchange: exchange), "devstack")
    assert result.output == (
        "devstack | devstack: 1620 exchanges; tests: 1620 same, 0 expected difference, "
        "0 unstable, 0 not compared, 0 different\n"
    )
    assert result.exit_code == 0


def planted(exchange: Exchange) -> Exchange:
    if (exchange.suite, exchange.test) != (SUITE, TEST) or exchange.response is None:
        return exchange
    return replace(exchange, response=replace(exchange.response, status=204))


def test_a_difference_is_shown_with_both_sides(tmp_path: Path) -> None:
    result = run(changed(tmp_path / "other.jsonl", planted), "devstack")
    assert result.exit_code == 1
    assert result.output.splitlines()[:4] == [
        f"DELETE /allocations/{{}}  once, first in {SUITE}::{TEST}",
        "  status: the values differ",
        "    devstack  204",
        "    devstack  404",
    ]


def test_programs_get_json(tmp_path: Path) -> None:
    result = run(changed(tmp_path / "other.jsonl", planted), "devstack", "--json")
    data = json.loads(result.output)
    assert (data["ok"], data["exchanges"]) == (False, 1620)
    (cause,) = data["causes"]
    assert (cause["route"], cause["place"]) == ("DELETE /allocations/{}", "status")
    (example,) = cause["examples"]
    assert (example["test"], example["left"], example["right"]) == (TEST, "204", "404")
    assert data["latency"][0]["left"]["count"] > 0


def test_what_one_recording_lacks_is_said(tmp_path: Path) -> None:
    def lacking(exchange: Exchange) -> Exchange | None:
        return None if (exchange.suite, exchange.test) == (SUITE, TEST) else exchange

    result = run(changed(tmp_path / "less.jsonl", lacking), "devstack")
    assert "not compared: 1 test: less.jsonl has no such test" in result.output
    assert "1 not compared" in result.output
    assert result.exit_code == 0


def test_nothing_compared_is_no_success(tmp_path: Path) -> None:
    result = run(changed(tmp_path / "none.jsonl", lambda _: None), "devstack")
    assert "nothing was compared, which is no success" in result.output
    assert result.exit_code == 1


def test_a_recording_beside_itself_is_a_mistake() -> None:
    with pytest.raises(UsageError, match=r"are one file\. Give two recordings"):
        CliRunner().invoke(diff, ["devstack", "devstack"], catch_exceptions=False)
