"""What upstream's fixtures configure -> a profile; what nobody knows is an error."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import UsageError
from harness.upstream import scenes
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
    source = scenes.installed_suites().parent / "fixtures/gabbits.py"
    found = scenes.scenes(source)
    assert set(found) == scenes.fixtures_in(source)
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
    source = tmp_path / scenes.SOURCE
    for folder in (source.parent, *source.parent.parents):
        if folder == tmp_path:
            break
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    source.write_text("import nowhere_to_be_found\n")
    with pytest.raises(UsageError, match="cannot be used: they fail") as caught:
        scenes.scenes(source)
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
