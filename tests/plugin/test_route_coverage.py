"""The project's own suites meet every route, method and documented status code of placement."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness.parity.recording import Recording

TESTS = Path(__file__).parents[1]
GABBITS = TESTS.parent / "gabbits"
MOUNT = "/placement"


@dataclass(frozen=True)
class Run:
    """Method, path and status of each exchange, by suite; and what pytest wrote."""

    exchanges: Mapping[str, list[tuple[str, str, int]]]
    output: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of all suites on the embedded target: placement needs a process of its own."""
    recording = tmp_path_factory.mktemp("coverage") / "exchanges.jsonl"
    words = ("--target", "embedded", "--record", str(recording), "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", *words, str(GABBITS)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, cwd=recording.parent
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    exchanges: dict[str, list[tuple[str, str, int]]] = {}
    for exchange in Recording(recording).exchanges():
        assert exchange.response is not None
        path = urlsplit(exchange.request.url).path.removeprefix(MOUNT)
        answer = (exchange.request.method, path, exchange.response.status)
        exchanges.setdefault(Path(exchange.suite).stem, []).append(answer)
    return Run(exchanges, done.stdout)


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    """The documented status codes, by operation, and those of them that are `unreachable`."""
    document: dict[str, Any] = import_module("gabbi.utils").load_yaml(
        yaml_file=str(TESTS / "data" / "documented-status.yaml")
    )
    return document


def seen(run: Run, without: Collection[str] = ()) -> dict[str, set[int]]:
    """Return the status codes that each declared operation answered, leaving some suites out."""
    codes: dict[str, set[int]] = {}
    for route, methods in import_module("placement.handler").ROUTE_DECLARATIONS.items():
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", route))
        for method in methods:
            codes[f"{method} {route}"] = {
                status
                for suite, exchanges in run.exchanges.items()
                if suite not in without
                for used, path, status in exchanges
                if used == method and pattern.fullmatch(path)
            }
    return codes


def unmet_operations(codes: Mapping[str, set[int]]) -> list[str]:
    """Return the operations that never succeeded."""
    return [name for name, met in codes.items() if not any(code < 400 for code in met)]


def unmet_codes(codes: Mapping[str, set[int]], reference: Mapping[str, Any]) -> list[str]:
    """Return the documented and reachable codes that no answer had, as `METHOD route: code`."""
    unreachable = reference["unreachable"]
    return [
        f"{name}: {code}"
        for name, documented in reference.items()
        if name != "unreachable"
        for code in documented
        if code not in codes[name] and code not in unreachable.get(name, {})
    ]


def test_every_suite_passes_in_process(run: Run) -> None:
    assert re.search(r"=+ \d{4} passed, \d+ deselected in ", run.output), run.output[-500:]


def test_every_method_of_every_route_succeeds_in_some_suite(run: Run) -> None:
    missing = unmet_operations(seen(run))
    assert not missing, "no successful exchange: " + ", ".join(missing)


def test_every_documented_status_code_is_met_in_some_suite(
    run: Run, reference: dict[str, Any]
) -> None:
    missing = unmet_codes(seen(run), reference)
    assert not missing, "no exchange: " + ", ".join(missing)


def test_the_reference_names_only_routes_that_placement_declares(
    run: Run, reference: dict[str, Any]
) -> None:
    documented = set(reference) - {"unreachable"}
    assert documented <= set(seen(run))
    undocumented = {"GET ", "POST /resource_providers/{uuid}/inventories"}
    assert set(seen(run)) - documented == undocumented


def test_a_code_called_unreachable_is_documented_and_never_met(
    run: Run, reference: dict[str, Any]
) -> None:
    for name, reasons in reference["unreachable"].items():
        assert set(reasons) <= set(reference[name])
        assert not set(reasons) & seen(run)[name], f"{name} can be provoked after all"


def test_a_suite_left_out_leaves_its_route_without_exchange(run: Run) -> None:
    assert unmet_operations(seen(run, without=["root"])) == ["GET "]


def test_a_suite_left_out_leaves_its_status_codes_without_exchange(
    run: Run, reference: dict[str, Any]
) -> None:
    missing = unmet_codes(seen(run, without=["resource-class-rename"]), reference)
    operation = "PUT /resource_classes/{name}"
    # 400 and 404 are met at other microversions too.
    assert missing == [f"{operation}: 200", f"{operation}: 409"]


def test_a_run_without_suites_misses_everything(run: Run, reference: dict[str, Any]) -> None:
    nothing = seen(run, without=list(run.exchanges))
    assert unmet_operations(nothing) == list(nothing)
    assert "POST /reshaper: 409" in unmet_codes(nothing, reference)
