"""The benchmark: what it measures, and what it leaves alone."""

from pathlib import Path

import pytest

from harness.bench import cpu, figures, token_cost
from harness.bench.figures import Measure
from harness.core.errors import StackError


def test_the_benchmark_never_measures_the_stack_that_somebody_keeps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_NAME", "precious")
    monkeypatch.setenv("PLACEMENT_HARNESS_REPLICAS", "16")
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", "/somewhere")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-x")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    found = figures.surroundings()
    names = ("PLACEMENT_HARNESS_", "PYTEST_ADDOPTS", "PYTHONDONTWRITEBYTECODE")
    ours = {name: value for name, value in found.items() if name.startswith(names)}
    assert ours == {
        "PLACEMENT_HARNESS_NAME": "placement-harness-bench",
        "PLACEMENT_HARNESS_STATE": "/somewhere",
    }


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(StackError, match=r"`pytest --no-such` failed with exit code 4"):
        figures.command("pytest", "--no-such")


def test_figures_of_a_run_come_from_its_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*words: str) -> str:
        path = Path(words[-1].removeprefix("--run-report="))
        path.write_text('{"client_ms": 2.5}')
        return "client 9.99 ms a test"

    monkeypatch.setattr(figures, "command", write)
    assert figures.reported("pytest", "gabbits") == {"client_ms": 2.5}


def test_a_row_has_median_worst_and_how_many() -> None:
    measure = Measure("up", "s", "6", [5.0, 9.0, 5.5])
    assert measure.row() == ("up", "5.50 s", "9.00 s", "3", "6")


def test_the_last_figure_of_a_kind_counts() -> None:
    assert figures.figure(r"p50 ([\d.]+) ms", "p50 1.0 ms\np50 2.5 ms") == 2.5
    with pytest.raises(StackError, match="no such figure"):
        figures.figure(r"p50 ([\d.]+) ms", "nothing")


def test_what_nobody_else_has_used_is_the_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {"client": 1.0, "all": 10.0}
    now = {"client": 3.0, "placement": 4.0, "all": 20.0}
    monkeypatch.setattr(cpu, "spent", lambda: dict(now))
    assert cpu.since(before) == {"client": 2.0, "placement": 4.0, "engine": 4.0, "all": 10.0}


def test_the_kernel_is_asked_for_the_machines_seconds() -> None:
    assert cpu._of_machine() > 0


def test_tokens_are_compared_by_what_apache_has_logged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(token_cost, "ROUNDS", 2)
    ids = {"req-1": "GET /", "req-2": "GET /"}
    found = {
        token_cost.TOKENS: token_cost._averages(ids, {"req-1": 2000, "req-2": 4000}),
        token_cost.NO_TOKENS: token_cost._averages(ids, {"req-1": 2000, "req-2": 2000}),
    }
    token_cost.show_cost(found)
    assert "1.50" in capsys.readouterr().out
    with pytest.raises(StackError, match="lacks requests"):
        token_cost._averages(ids, {"req-1": 2000})
