"""placement in this process: in a process of its own, as it keeps much in globals."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.config.plan import Plan
from harness.core.errors import TargetError
from harness.targets import embedded
from harness.targets.base import PerProcess
from harness.targets.placement_process import checking_once

SCRIPT = """
import importlib
import json
import logging
import os
import threading
from pathlib import Path

from harness.config.plan import Plan
from harness.core.exchange import Exchange, Request
from harness.targets import embedded
from harness.upstream.fixture_data import FIXTURES, Fixture


def ask(target, method, path, body=b"", version="1.39", token="admin"):
    headers = {"x-auth-token": token, "openstack-api-version": f"placement {version}"}
    headers["content-type"] = "application/json"
    request = Request(method, f"{target.url}{path}", headers, body)
    response = target.transport().send(request, timeout=30)
    return Exchange("suite", "test", request, response, 0.0, 0.0)


def names(target):
    found = json.loads(ask(target, "GET", "/resource_providers").response.body)
    return [one["name"] for one in found["resource_providers"]]


def broken(*_):
    raise RuntimeError("no such thing")


target = embedded.make(Plan(target="embedded"))
# As the plugin does: started in a thread, used in another.
thread = threading.Thread(target=target.start)
thread.start()
thread.join()
assert ask(target, "GET", "/", token="").response.status == 200
assert ask(target, "GET", "/traits", token="nobody").response.status == 403
created = ask(target, "POST", "/resource_providers", b'{"name": "one"}')
assert created.response.status == 200, created.response
assert names(target) == ["one"]
missing = ask(target, "GET", "/resource_providers/7d2590ae-fb85-4080-9306-058b4c915e3f")
assert missing.response.status == 404
lines = target.explain(missing)["placement"]
assert all("/resource_providers/7d2590ae" in line for line in lines), lines
assert [line.split()[0] for line in lines] == ["DEBUG", "INFO"], lines
from placement.objects import resource_provider
listing, resource_provider.get_all_by_filters = resource_provider.get_all_by_filters, broken
failed = ask(target, "GET", "/resource_providers")
resource_provider.get_all_by_filters = listing
assert failed.response.status == 500, failed.response
lines = target.explain(failed)["placement"]
assert any(line.startswith("Traceback") for line in lines), lines
assert "RuntimeError: no such thing" in lines, lines
assert [one.name for one in target.settings()] == ["placement", "database", "authentication"]
target.check()
target.stop()
assert logging.getLogger("placement").parent is logging.getLogger()

again = embedded.make(Plan(target="embedded"))
again.start()
assert names(again) == []
assert json.loads(ask(again, "GET", "/traits").response.body)["traits"]
again.stop()
again.stop()


class Broken:
    def start_fixture(self):
        os.environ["LEFT"] = "behind"
        raise ZeroDivisionError


fixtures = importlib.import_module(FIXTURES)
fixtures.Broken = Broken
try:
    again.stage(Fixture(Path(fixtures.__file__), "Broken")).__enter__()
except ZeroDivisionError:
    assert "LEFT" not in os.environ
assert logging.getLogger("placement").parent is logging.getLogger()
print("fine", sorted(os.listdir(".")))
"""


def test_placement_answers_in_process_and_leaves_nothing(tmp_path: object) -> None:
    hostile = {
        "OS_PLACEMENT_DATABASE__CONNECTION": "mysql+pymysql://nowhere/placement",
        "OS_API__AUTH_STRATEGY": "keystone",
        "OS_PLACEMENT_CONFIG_DIR": "/nonexistent",
        "OS_CORS__ALLOWED_ORIGIN": "http://elsewhere",
        "OS_OSLO_POLICY__ENFORCE_SCOPE": "nonsense",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, **hostile},
        cwd=str(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "fine []\n"


@pytest.mark.parametrize("workers", [[], ["-n1"]])
def test_a_failure_shows_the_log_once_and_no_warning_of_others(
    tmp_path: Path, workers: list[str]
) -> None:
    (tmp_path / "one.yaml").write_text("tests:\n- {name: one, GET: /, status: 404}\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--target", "embedded", "one.yaml", *workers],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.count('"GET /placement/" status: 200') == 1
    assert "log of placement" in done.stdout
    assert "Warning" not in done.stdout + done.stderr


def test_without_placement_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "placement.deploy", None)
    with pytest.raises(TargetError) as caught:
        embedded.make(Plan(target="embedded")).start()
    assert str(caught.value).startswith("--target embedded runs placement in this process, but")
    assert str(caught.value).endswith("Install it: pip install 'placement-harness[embedded]'.")


def test_it_offers_no_curl_and_has_no_replicas() -> None:
    target = embedded.attach(Plan(target="embedded"), {})
    assert target.shell_token() is None
    assert target.replicas == ()
    assert isinstance(target, PerProcess)


def test_a_schema_is_checked_once_and_each_value_every_time() -> None:
    jsonschema = checking_once(importlib.import_module("jsonschema"))
    schema = {"type": "integer"}
    jsonschema.validate(1, schema)
    # placement never changes a schema. Here it shows that the schema is not checked again.
    schema["minimum"] = "x"
    with pytest.raises(TypeError):
        jsonschema.validate(1, schema)
    with pytest.raises(jsonschema.SchemaError):
        jsonschema.validate(1, dict(schema))
    with pytest.raises(jsonschema.ValidationError, match="'1' is not of type"):
        jsonschema.validate("1", schema)
