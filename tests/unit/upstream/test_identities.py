"""Users: those that placement's noauth2 headers mean, and those in the database's image."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.core.paths import ROOT
from harness.upstream.fixture_data import installed_suites
from harness.upstream.identities import Identity, read


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-auth-token": "admin"}, Identity("admin", "admin", ("admin",))),
        ({"X-Auth-Token": "admin:other"}, Identity("admin", "other", ("admin",))),
        ({"x-auth-token": "user"}, Identity("user", "user", ())),
        (
            {"x-auth-token": "user", "x-roles": "member, reader", "x-project-id": "p"},
            Identity("user", "p", ("member", "reader")),
        ),
        # Roles that are given count more than the user's name.
        ({"x-auth-token": "admin", "x-roles": "reader"}, Identity("admin", "admin", ("reader",))),
        (
            {"x-auth-token": "user", "x-roles": "reader", "openstack-system-scope": "all"},
            Identity("user", None, ("reader",)),
        ),
        ({"accept": "text/plain"}, None),
        ({"x-roles": "admin"}, None),
    ],
)
def test_headers_say_who_is_meant(headers: dict[str, str], expected: Identity | None) -> None:
    assert read({**headers, "accept": "x"}) == (expected, {"accept": "x"})


def upstream() -> Iterator[dict[str, Any]]:
    """The headers of every test of placement's own suites."""
    for path in sorted(installed_suites().glob("*.yaml")):
        suite = yaml.safe_load(path.read_text())
        defaults = suite.get("defaults", {}).get("request_headers", {})
        for test in suite["tests"]:
            yield {**defaults, **test.get("request_headers", {})}


def test_all_whom_placements_suites_pretend_to_be_are_in_the_databases_image() -> None:
    seeded = {
        Identity(one["user"], one["project"], tuple(one["roles"]))
        for one in json.loads((Path(ROOT) / "services/mariadb/users.json").read_text())
    }
    found = set()
    for headers in upstream():
        identity, left = read(headers)
        assert not any(name.lower().startswith("x-project") for name in left)
        if identity is not None:
            # The target names the project of a variable so.
            name = re.sub(r"\$ENVIRON\['(\w+)'\]", r"$\1", identity.project or "") or None
            found.add(replace(identity, project=name))
    assert found == seeded
