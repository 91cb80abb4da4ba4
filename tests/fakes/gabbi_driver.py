"""Runs a directory of gabbi's suites with gabbi's own driver, and writes the outcome of each test.

A script, so that gabbi is as it came, untouched by the harness.
"""

from __future__ import annotations

import json
import os
import sys
import unittest
from importlib import import_module
from pathlib import Path
from typing import Any


class Outcomes(unittest.TestResult):
    """Keeps the first word on each test: gabbi calls an expected failure a success afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: dict[str, str] = {}

    def _note(self, test: Any, outcome: str) -> None:
        self.outcomes.setdefault(f"{test.test_base_name}::{test.test_data['name']}", outcome)

    def addSuccess(self, test: Any) -> None:  # noqa: N802
        self._note(test, "passed")

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        self._note(test, "failed")

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        self._note(test, "failed")

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        self._note(test, "skipped")

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        self._note(test, "xfailed")

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802
        # unittest takes it for no success, nor does gabbi's command line.
        self._note(test, "failed")


def run(directory: str, module_name: str) -> dict[str, str]:
    """Run with what gabbi's test module gives to ``build_tests``."""
    import_module("gabbi.tests.util").set_test_environ()
    module = import_module(module_name)
    arguments = {**module.BUILD_TEST_ARGS, "prefix": os.environ.get("GABBI_PREFIX")}
    if "host" in arguments:
        arguments.pop("prefix")
    result = Outcomes()
    loader = unittest.TestLoader()
    driver = import_module("gabbi.driver")
    driver.build_tests(directory, loader, test_loader_name="own", **arguments).run(result)
    return result.outcomes


if __name__ == "__main__":
    _, suites, name, target = sys.argv
    Path(target).write_text(json.dumps(run(suites, name)))
