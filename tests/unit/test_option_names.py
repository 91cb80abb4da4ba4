"""GROUP/OPTION and its value are checked by placement itself before anything is changed."""

import sys

import pytest

from harness.errors import StackError, UsageError
from harness.stack import options
from harness.stack.options import check, known

# In place of an image's.
HERE = (sys.executable,)


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
        "with base 10: 'many'. Give one of that type."
    )


def test_secrets_are_known_as_such() -> None:
    found = known(HERE)
    assert found.secret("placement_database/connection")
    assert found.secret("keystone_authtoken/password")
    assert found.secret("unknown/option")
    assert not found.secret("DEFAULT/debug")


def test_a_placement_that_cannot_be_asked_is_no_usage_error() -> None:
    with pytest.raises(StackError, match=r"placement could not be asked for its options: .*oops"):
        known(("sh", "-c", "echo oops >&2; exit 3", "sh"))


def test_an_image_is_asked_without_network() -> None:
    words = options.in_image("placement-harness/placement:x")
    assert words[:2] == ("docker", "run")
    assert "none" in words
