"""Runs a directory of suites against placement in process, and writes all exchanges to a file.

A script: placement keeps configuration, policy and engine in globals, so it gets a process of its
own. The JSON goes to a file because placement logs to stdout.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import unittest
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from harness.placements.model import NAME
from harness.suites import releases

HOST, MOUNT = "http://placement.embedded", "/placement"
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Recorder:
    """Mounts a WSGI application below a prefix, and keeps each method, path and status."""

    def __init__(self, application: Wsgi) -> None:
        self.application = application
        self.exchanges: list[tuple[str, str, int]] = []

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = environ["PATH_INFO"].removeprefix(MOUNT)
        method = environ["REQUEST_METHOD"]

        def record(status: str, *arguments: Any) -> Any:
            self.exchanges.append((method, path, int(status.split()[0])))
            return start_response(status, *arguments)

        return self.application({**environ, "SCRIPT_NAME": MOUNT, "PATH_INFO": path}, record)


def run(directory: str, database: str) -> dict[str, Any]:
    """Return placement's routes, the exchanges of each suite, and the tests that failed."""
    os.environ.update(
        OS_PLACEMENT_DATABASE__CONNECTION=f"sqlite:///{database}",
        OS_PLACEMENT_DATABASE__SYNC_ON_STARTUP="true",
        OS_API__AUTH_STRATEGY="noauth2",
        PLACEMENT_BASE=HOST,
        PLACEMENT_SERVICE=HOST + MOUNT,
        SERVICE_TOKEN="admin",
    )
    recorder = Recorder(import_module("placement.wsgi").init_application())
    suites = import_module("gabbi.driver").build_tests(
        directory, unittest.TestLoader(), intercept=lambda: recorder, test_loader_name="gabbits"
    )
    exchanges: dict[str, list[tuple[str, str, int]]] = {}
    result = unittest.TestResult()
    for suite in suites:
        name = next(iter(suite)).test_base_name
        text = Path(directory, f"{name}.yaml").read_text()
        if not releases.holds(releases.specifier(yaml.safe_load(text)), [version(NAME)]):
            continue
        recorder.exchanges = exchanges[name] = []
        suite.run(result)
    declared = import_module("placement.handler").ROUTE_DECLARATIONS
    return {
        "routes": {route: sorted(methods) for route, methods in declared.items()},
        "exchanges": exchanges,
        "failed": [str(test.shortDescription()) for test, _ in result.failures + result.errors],
    }


if __name__ == "__main__":
    _, gabbits, target = sys.argv
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(gabbits, os.path.join(folder, "placement.sqlite"))
    Path(target).write_text(json.dumps(outcome))
