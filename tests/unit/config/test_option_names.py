"""GROUP/OPTION and its value are checked by placement itself before anything is changed."""

import sys
from dataclasses import replace

import pytest

from harness.core.errors import StackError, UsageError
from harness.core.process import run
from harness.stack.model.record import Installed, Record
from harness.stack.operations import placement_options
from harness.stack.operations.placement_options import Python, check, known
from tests.fakes.machine import Machine


def python(*words: str) -> Python:
    """A Python of this machine, in place of an image's."""
    return lambda script, stdin: run(*words, "-c", script, seconds=60, stdin=stdin)


HERE = {"": python(sys.executable)}
OLDER = """
import json
print(json.dumps({"names": {"DEFAULT/debug": True}, "type": "boolean", "error": None}))
"""
MIXED = {"16.0.0": python(sys.executable), "15.0.0": python("python3", "-c", OLDER)}


@pytest.mark.parametrize(
    ("written", "value", "name"),
    [
        ("placement_database/max_retries", "3", "placement_database/max_retries"),
        ("placement_database/max-retries", "3", "placement_database/max_retries"),
        ("default/debug", "yes", "DEFAULT/debug"),
        ("keystone_authtoken/auth_url", "http://x", "keystone_authtoken/auth_url"),
        ("cors/allowed_origin", "http://a,http://b", "cors/allowed_origin"),
        ("placement_database/max_retries", "$max_pool_size", "placement_database/max_retries"),
    ],
)
def test_a_setting_that_placement_takes(written: str, value: str, name: str) -> None:
    assert check(HERE, written, value) == name


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("placement_database/conection", "Did you mean placement_database/connection"),
        ("connection", "Did you mean placement_database/connection"),
        ("database/max_overflow", "placement_database/max_overflow"),
        ("zzz/qqq", "Options are named GROUP/OPTION, as in placement_database/connection."),
    ],
)
def test_an_unknown_option_is_refused_with_those_that_are_near(written: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"placement has no option {written}") as caught:
        check(HERE, written, "x")
    assert near in caught.value.remedy


def test_a_value_of_the_wrong_type_is_refused_with_the_type() -> None:
    with pytest.raises(UsageError) as caught:
        check(HERE, "placement_database/max-retries", "many")
    assert str(caught.value) == (
        "placement_database/max_retries takes a value of type integer: invalid literal for int() "
        "with base 10: 'many'. Give a value of that type."
    )


def test_secrets_are_known_as_such() -> None:
    found = known(HERE)
    assert found.secret("placement_database/connection")
    assert found.secret("keystone_authtoken/password")
    assert found.secret("unknown/option")
    assert not found.secret("DEFAULT/debug")


def test_a_placement_that_cannot_be_asked_is_no_usage_error() -> None:
    with pytest.raises(StackError, match=r"placement could not be asked for its options: .*oops"):
        known({"": python("sh", "-c", "echo oops >&2; exit 3", "sh")})


def test_replicas_of_several_versions_all_have_to_know_it() -> None:
    assert check(MIXED, "DEFAULT/debug", "true") == "DEFAULT/debug"
    with pytest.raises(UsageError, match=r"placement 15\.0\.0 has no option api/auth_strategy"):
        check(MIXED, "api/auth_strategy", "noauth2")
    found = known(MIXED)
    assert not found.secret("api/auth_strategy")
    assert found.secret("DEFAULT/debug"), "one of them says so"


def test_an_image_is_asked_without_network_and_with_the_code_that_is_mounted_over_it(
    machine: Machine,
) -> None:
    release, checkout = (
        Installed("15.0.0", "15.0.0", "aa"),
        Installed("/p", "16.1", "bb", "/code-1"),
    )
    record = Record("one", "keep", 3, 1, placements=(release, checkout))
    asked = placement_options.pythons(record)
    assert [*asked] == ["15.0.0", "16.1 (/p)"]
    machine.has("docker")
    for of_image in asked.values():
        assert of_image("script", b"secret").ok
    first, second = machine.calls
    assert first.startswith("docker run --rm --interactive --pull never --network none --read-only")
    assert first.endswith("/bin/python placement-harness/placement:aa -c script")
    assert "--mount" not in first
    assert (
        '--mount type=bind,"source=/code-1",target=/code,readonly --env PYTHONPATH=/code' in second
    )
    # The second has no replica.
    assert [*placement_options.pythons(replace(record, replicas=1))] == [""]
