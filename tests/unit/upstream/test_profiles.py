"""Settings of upstream's fixtures -> a profile; settings that no profile has are an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import UsageError
from harness.suites import selection
from harness.upstream import fixture_data, fixture_probe
from harness.upstream.profiles import Profile, profile_of

LEGACY = {"service_api": "(role:service) or (role:admin)"}
BASE = {
    "api.auth_strategy": "noauth2",
    "placement_database.connection": "sqlite://",
    "oslo_policy.policy_file": "policy.yaml",
    "oslo_policy.enforce_new_defaults": False,
}


def profile(rules: dict[str, str] | None = None, **settings: Any) -> Profile:
    given = {name.replace("__", "."): value for name, value in settings.items()}
    return profile_of("SomeFixture", {**BASE, **given}, rules, LEGACY)


def test_each_configuration_has_its_profile() -> None:
    assert profile() == Profile("legacy-rbac", LEGACY)
    assert profile(oslo_policy__enforce_new_defaults=True) == Profile("secure-rbac")
    assert profile({"a": "@", "b": "@"}) == Profile("open-policy", {"a": "@", "b": "@"})
    assert profile(cors__allowed_origin=["http://a", "http://b"]) == Profile(
        "cors", LEGACY, {"OS_CORS__ALLOWED_ORIGIN": "http://a,http://b"}
    )


def test_a_setting_that_no_profile_has_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"SomeFixture sets workarounds\.new to 3"):
        profile(workarounds__new=3)


def test_a_policy_that_no_profile_has_is_an_error() -> None:
    with pytest.raises(UsageError, match="SomeFixture sets a policy that no profile has"):
        profile({"a": "role:special"})


def test_placements_own_fixtures_are_all_understood() -> None:
    source = fixture_data.installed_suites().parent / "fixtures/gabbits.py"
    assert set(fixture_data.snapshot_of(source)["fixtures"]) == fixture_data.fixtures_in(source)
    names = fixture_data.fixtures_in(source)
    found = {name: fixture_data.Fixture(source, name).scene() for name in names}
    assert {one.profile.name for one in found.values()} == {
        "legacy-rbac",
        "secure-rbac",
        "open-policy",
        "cors",
    }
    allocations = found["AllocationFixture"]
    assert len(allocations.rows["allocations"]) == 4
    assert {row["resource_class_id"] for row in allocations.rows["allocations"]} == {
        "DISK_GB",
        "VCPU",
    }
    assert allocations.environ["CONSUMER_0"] == allocations.rows["consumers"][0]["uuid"]


def test_fixtures_that_cannot_be_run_say_what_is_missing(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    # This tree has no tags that would tell its version.
    monkeypatch.setenv("PBR_VERSION", "16.0.0")
    source = tmp_path / fixture_data.SOURCE
    for folder in (source.parent, *source.parent.parents):
        if folder == tmp_path:
            break
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    source.write_text("import nowhere_to_be_found\n")
    with pytest.raises(UsageError, match="cannot be used: they fail") as caught:
        fixture_data.snapshot_of(source)
    assert "nowhere_to_be_found" in caught.value.evidence[-1]
    assert "placement-harness[upstream]" in caught.value.remedy


def test_a_scope_that_is_not_checked_is_for_most_replicas_and_one_that_is_for_others() -> None:
    variable = "OS_OSLO_POLICY__ENFORCE_SCOPE"
    assert profile(oslo_policy__enforce_scope=False) == Profile(
        "legacy-rbac", LEGACY, {}, {variable: "false"}
    )
    assert profile(
        oslo_policy__enforce_scope=True, oslo_policy__enforce_new_defaults=True
    ) == Profile("secure-rbac", {}, {variable: "true"})


OWN_MODULE = """
from oslo_config import cfg
from placement.tests.functional.fixtures import gabbits

def __getattr__(name):
    return getattr(gabbits, name)

class Plain(gabbits.APIFixture): ...

class Secure(gabbits.SecureRBACPolicyFixture): ...

class Partial(gabbits.APIFixture):
    def start_fixture(self):
        super().start_fixture()
        self.policy_fixture.set_rules({"placement:usages": "@"}, overwrite=False)

class Default(gabbits.APIFixture):
    def start_fixture(self):
        super().start_fixture()
        self.conf_fixture.conf.set_default("randomize_allocation_candidates", True, "placement")
"""


@pytest.fixture
def own_module(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The probe's output for fixtures that configure placement in other ways than its own."""
    (tmp_path / "own_fixtures.py").write_text(OWN_MODULE)
    done = subprocess.run(
        [sys.executable, fixture_probe.__file__, "own_fixtures"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    source = tmp_path / "own_fixtures.py"
    monkeypatch.setitem(fixture_data._snapshots, source, found)
    return source


def test_a_setting_or_a_rule_that_a_fixture_changes_is_never_passed_over(own_module: Any) -> None:
    assert fixture_data.Fixture(own_module, "Plain").scene().profile.name == "legacy-rbac"
    assert fixture_data.Fixture(own_module, "Secure").scene().profile.name == "secure-rbac"
    with pytest.raises(UsageError, match="Partial sets a policy that no profile has"):
        fixture_data.Fixture(own_module, "Partial").scene()
    with pytest.raises(UsageError, match=r"Default sets placement\.randomize_.* to True"):
        fixture_data.Fixture(own_module, "Default").scene()


def test_a_fixture_that_is_not_understood_keeps_no_other_from_being_run(own_module: Any) -> None:
    wanted = [fixture_data.Fixture(own_module, name) for name in ("Default", "Plain", "Secure")]
    found = selection.profiles(wanted, print)
    assert [one.name for one in found] == ["legacy-rbac", "secure-rbac"]


def test_profiles_of_one_name_whose_replicas_differ_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def scene(fixture: fixture_data.Fixture, progress: Any) -> fixture_data.Scene:
        origin = profile(cors__allowed_origin=f"http://{fixture.name}")
        return fixture_data.Scene(fixture.name, {}, {}, origin)

    monkeypatch.setattr(fixture_data.Fixture, "scene", scene)
    wanted = [fixture_data.Fixture(Path(), name) for name in "ab"]
    with pytest.raises(UsageError, match=r"b and another .* profile cors .*http://a.*http://b"):
        selection.profiles(wanted, print)
