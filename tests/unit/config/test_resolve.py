"""Options, environment and ini settings become a plan; the plugin's tests have the messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config.plan import Plan, is_url
from harness.config.resolve import resolve
from harness.core.errors import UsageError

CHOICES = {
    "target": ("stack", "reference", "embedded"),
    "stack_options": ("stack", "reference"),
    "without_replicas": ("reference",),
    "database": ("mariadb", "galera"),
    "config_source": ("env", "etcd"),
}
Given = dict[str, str | None]


def resolved(
    options: Given | None = None, environ: dict[str, str] | None = None, ini: Given | None = None
) -> Plan:
    return resolve(options or {}, environ or {}, ini or {}, CHOICES)


def test_without_settings_everything_is_the_default() -> None:
    plan = resolved()
    assert (plan.target, plan.replicas, plan.lifetime, plan.port) == ("stack", 3, "fresh", 0)
    assert set(plan.sources.values()) == {"default"}


def test_the_users_compose_file_is_that_of_the_directory_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resolve({}, {}, {}, CHOICES, tmp_path).override is None
    override = tmp_path / "compose.override.yaml"
    override.touch()
    assert resolve({}, {}, {}, CHOICES, tmp_path).override == override
    assert resolve({"target": "embedded"}, {}, {}, CHOICES, tmp_path).override is None
    monkeypatch.chdir(tmp_path)
    assert resolved().override == override


def test_an_option_wins_over_the_environment_and_that_over_ini() -> None:
    variable = {"PLACEMENT_HARNESS_REPLICAS": "4"}
    ini: Given = {"replicas": "5"}
    for options, environ, expected, source in (
        ({"replicas": "2"}, variable, 2, "option"),
        ({}, variable, 4, "environment"),
        ({}, {}, 5, "ini"),
    ):
        plan = resolved(dict(options), environ, ini)
        assert (plan.replicas, plan.sources["replicas"]) == (expected, source)


@pytest.mark.parametrize("release", ["13.0.0", "14", "15.1.0.dev7"])
def test_the_release_of_a_url_can_be_named(release: str) -> None:
    plan = resolved({"target": "http://localhost:8778/placement", "release": release})
    assert plan.release == release


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"release": "13.0.0"}, "makes no sense with the target stack"),
        ({"release": "13.0.0", "target": "embedded"}, "makes no sense with the target embedded"),
        ({"release": "old", "target": "http://localhost:8778"}, "--release old is no release"),
    ],
)
def test_a_release_without_sense_is_refused(options: Given, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        resolved(options)


def test_empty_ini_settings_and_variables_count_as_not_given() -> None:
    plan = resolved({}, {"PLACEMENT_HARNESS_STACK": ""}, {"stack": ""})
    assert plan.sources["stack"] == "default"


def test_a_fresh_stack_has_a_name_of_its_own_and_others_share_one() -> None:
    assert resolved().name != resolved().name
    assert resolved().name.startswith("placement-harness-")
    assert resolved({"stack": "keep"}).name == resolved({"stack": "reuse"}).name


def test_hosts_come_from_options_or_the_environment_and_only_a_stack_has_them() -> None:
    assert resolved().hosts == ()
    assert resolved({"host": "a,ssh://b=192.0.2.1"}).hosts == ("a", "ssh://b=192.0.2.1")
    plan = resolved(environ={"PLACEMENT_HARNESS_HOST": "a,b"})
    assert (plan.hosts, plan.sources["host"]) == (("a", "b"), "environment")
    for target in ("embedded", "reference"):
        with pytest.raises(UsageError, match="--host a makes no sense with --target"):
            resolved({"target": target, "host": "a"})


def test_a_url_is_a_target_and_loses_its_trailing_slash() -> None:
    assert resolved({"target": "https://cloud:8778/placement/"}).target == (
        "https://cloud:8778/placement"
    )
    assert is_url("http://x")
    assert not is_url("stack")


@pytest.mark.parametrize(
    "url", ["http://", "http://host:port/", "http://host:70000/", "http://host:0/", "http://[::1"]
)
def test_a_url_that_is_not_whole_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is not a whole URL"):
        resolved({"target": url})


def test_replicas_from_ini_do_not_disturb_another_target() -> None:
    assert resolved({"target": "embedded"}, ini={"replicas": "3"}).target == "embedded"


@pytest.mark.parametrize(
    ("environ", "ini", "written"),
    [
        ({"PLACEMENT_HARNESS_REPLICAS": "99"}, {}, "PLACEMENT_HARNESS_REPLICAS=99"),
        ({}, {"replicas": "many"}, "placement_replicas = many"),
    ],
)
def test_an_error_names_the_setting_as_it_was_written(
    environ: dict[str, str], ini: Given, written: str
) -> None:
    with pytest.raises(UsageError, match=f"^{written} cannot be run"):
        resolved({}, environ, ini)


@pytest.mark.parametrize("replicas", [0, -1, 17])
def test_a_plan_made_by_hand_is_checked_too(replicas: int) -> None:
    with pytest.raises(UsageError, match=f"--replicas {replicas} cannot be run"):
        Plan(replicas=replicas)


def test_the_reference_has_no_replicas_whatever_an_ini_file_says_of_them() -> None:
    ini: Given = {"replicas": "5", "config_source": "etcd", "database": "galera"}
    plan = resolved({"target": "reference"}, {}, ini)
    assert (plan.replicas, plan.reference, plan.config_source) == (0, True, "env")
    assert not plan.asks("replicas")
    # The reference shares the stack's database.
    assert plan.database == "galera"
    assert not resolved({}, {}, ini).reference


@pytest.mark.parametrize(
    "option", [{"replicas": "2"}, {"stack_port": "9000"}, {"config_source": "etcd"}]
)
def test_settings_of_replicas_make_no_sense_with_the_reference(option: Given) -> None:
    with pytest.raises(UsageError, match="makes no sense with --target reference: only a stack"):
        resolved({"target": "reference", **option})
