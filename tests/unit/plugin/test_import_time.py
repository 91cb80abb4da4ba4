"""Times of imports: pytest loads the plugin everywhere, and a reused stack answers at once."""

from __future__ import annotations

import subprocess
import sys

import pytest


def imported(module: str) -> set[str]:
    """The top-level modules that importing this one brings in."""
    script = f"import sys; import {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.split())


def test_the_inert_plugin_imports_nothing_heavy() -> None:
    heavy = {"gabbi", "httpx", "requests", "urllib3", "yaml", "python_on_whales", "click", "rich"}
    assert not imported("harness.plugin") & heavy


@pytest.mark.parametrize("module", ["harness.plugin.setup", "harness.targets.stack"])
def test_a_run_imports_no_more_than_it_needs(module: str) -> None:
    # python_on_whales brings pydantic. httpx brings rich and click.
    heavy = {"python_on_whales", "pydantic", "openstack", "placement"}
    assert not imported(module) & heavy


def test_suites_need_no_requests() -> None:
    assert "requests" not in imported("harness.plugin.setup")
