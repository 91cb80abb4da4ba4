"""Two placements in one process, used by turns, answer each by its policy and its database."""

from __future__ import annotations

import importlib
import json
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.core.exchange import Exchange
from harness.suites import case, loader
from harness.suites.connection import Wire
from harness.suites.extensions import Extensions
from harness.targets.embedded import Embedded
from harness.upstream.fixture_data import FIXTURES, Fixture

LIST = "placement:resource_providers:list"
# Someone who is no administrator lists providers.
READER = """
defaults: {request_headers: {x-auth-token: somebody, x-roles: nothing}}
tests:
- {name: root, GET: /}
- {name: list, GET: /resource_providers}
- {name: list again, GET: /resource_providers}
"""
ADMIN = """
defaults:
  request_headers: {x-auth-token: admin, content-type: application/json}
tests:
- name: create
  POST: /resource_providers
  data: {name: "$ENVIRON['RP_NAME']"}
- {name: list, GET: /resource_providers}
"""


def loaded(path: Path, wire: Wire, text: str) -> list[case.Case]:
    path.write_text(text)
    return loader.load(path, Extensions(), wire)


def connected(target: Embedded) -> Wire:
    wire = Wire()
    wire.connect(target, lambda exchange: exchange)
    return wire


def exchange(test: case.Case) -> Exchange:
    """The exchange of a test, whatever the test expected."""
    test.perform()
    assert test.exchange is not None
    return test.exchange


def status(test: case.Case) -> int | None:
    response = exchange(test).response
    return response.status if response else None


@pytest.fixture
def targets() -> Iterator[tuple[Embedded, Embedded]]:
    closed, opened = Embedded(policy={LIST: "!"}), Embedded(policy={LIST: "@"})
    closed.start()
    opened.start()
    yield closed, opened
    # Not in the reverse order.
    closed.stop()
    opened.stop()


def test_two_targets_take_turns_and_answer_each_by_its_policy(
    tmp_path: Path, targets: tuple[Embedded, Embedded]
) -> None:
    closed, opened = (
        loaded(tmp_path / "suite.yaml", connected(target), READER) for target in targets
    )
    by_turns = [(status(one), status(other)) for one, other in zip(closed, opened, strict=True)]
    assert by_turns == [(200, 200), (403, 200), (403, 200)]


def test_a_log_has_the_lines_of_its_target(
    tmp_path: Path, targets: tuple[Embedded, Embedded]
) -> None:
    closed, opened = targets
    test = loaded(tmp_path / "suite.yaml", connected(closed), READER)[1]
    assert any("403" in line for line in closed.explain(exchange(test))["placement"])
    assert opened.explain(exchange(test)) == {}


def test_two_of_upstreams_fixtures_take_turns(tmp_path: Path) -> None:
    fixtures = Path(str(importlib.import_module(FIXTURES).__file__))
    before = dict(os.environ)
    names, statuses = [], []
    wires = [connected(Embedded()), connected(Embedded())]
    with ExitStack() as stages:
        for wire, name in zip(wires, ("APIFixture", "OpenPolicyFixture"), strict=True):
            stages.enter_context(wire.staged(Fixture(fixtures, name)))
        readers = [loaded(tmp_path / "reader.yaml", wire, READER) for wire in wires]
        admins = [loaded(tmp_path / "admin.yaml", wire, ADMIN) for wire in wires]
        for tests in zip(*readers, strict=True):
            statuses.append([status(test) for test in tests])
        for tests in zip(*admins, strict=True):
            for test in tests:
                exchange(test)
        for suite in admins:
            created, listed = (exchange(test) for test in suite)
            assert created.response is not None
            assert listed.response is not None
            name = json.loads(created.request.body)["name"]
            providers = json.loads(listed.response.body)["resource_providers"]
            assert [provider["name"] for provider in providers] == [name]
            names.append(name)
    assert statuses == [[200, 200], [403, 200], [403, 200]]
    assert names[0] != names[1]
    assert dict(os.environ) == before


def test_nothing_of_placement_is_changed_between_requests(
    targets: tuple[Embedded, Embedded],
) -> None:
    policy = importlib.import_module("placement.policy")
    util = importlib.import_module("placement.util")
    assert policy._ENFORCER is None
    assert util.jsonschema is importlib.import_module("jsonschema")
    logger = logging.getLogger("placement")
    assert (logger.level, logger.parent) == (logging.NOTSET, logging.getLogger())
