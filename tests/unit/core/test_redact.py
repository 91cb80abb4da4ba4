"""Tokens and passwords do not get out."""

from __future__ import annotations

from harness.core import redact

TOKEN = "gAAAAABtoken-of-somebody"


def test_secret_headers_are_hidden_however_they_are_written() -> None:
    given = {"X-Auth-Token": TOKEN, "x-subject-token": TOKEN, "accept": "*/*"}
    assert redact.headers(given) == {
        "X-Auth-Token": "(hidden)",
        "x-subject-token": "(hidden)",
        "accept": "*/*",
    }


def test_a_token_is_hidden_in_any_text() -> None:
    hidden = redact.secrets({"x-auth-token": TOKEN}, {"X-Subject-Token": f"{TOKEN}2"})
    assert redact.text(f"got {TOKEN}, sent {TOKEN}2", hidden) == "got (hidden), sent (hidden)"


def test_words_are_no_secrets() -> None:
    assert redact.secrets({"x-auth-token": "admin"}) == set()


def test_passwords_in_json_are_hidden_at_any_depth() -> None:
    given = '{"auth": [{"password": "p", "user": {"Password": "q"}}], "n": 1}'
    assert redact.body(given) == (
        '{"auth": [{"password": "(hidden)", "user": {"Password": "(hidden)"}}], "n": 1}'
    )


def test_an_object_called_password_is_looked_into() -> None:
    given = {"identity": {"password": {"user": {"name": "me", "password": "p"}}}}
    assert redact.data(given) == {
        "identity": {"password": {"user": {"name": "me", "password": "(hidden)"}}}
    }


def test_text_without_secrets_stays_as_it_is() -> None:
    for given in ('{"a":  1}', "no json", "", "[1,2]"):
        assert redact.body(given) == given


def test_pretty_json_stays_pretty() -> None:
    assert redact.body('{\n"password": "p"}') == '{\n  "password": "(hidden)"\n}'


def test_a_key_written_with_escapes_is_hidden() -> None:
    assert "hunter2" not in redact.body('{"\\u0070assword": "hunter2"}')
    assert "hunter2" not in redact.body('{"user": {"Original_Password": "hunter2"}}')


def test_what_is_left_of_a_token_that_was_cut_is_hidden() -> None:
    token = "gAAAAAB" + "".join(f"{number:03}" for number in range(80))
    given = f"got {token[:50]}...{token[-40:]} and {token}"
    assert redact.shown(given, {token}) == "got (hidden)...(hidden) and (hidden)"
