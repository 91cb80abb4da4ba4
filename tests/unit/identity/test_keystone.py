"""Credentials from the environment, and what keystone is asked and answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import TargetError
from harness.identity.credentials import find
from harness.identity.keystone import Keystone
from tests.fakes.server import Received, Server, answer

TOKEN = "gAAAAABtoken-from-keystone"
PASSWORD = {
    "OS_USERNAME": "admin",
    "OS_PASSWORD": "very secret",
    "OS_PROJECT_NAME": "admin",
}
DEFAULT = {"id": "default"}


def created(received: Received) -> bytes:
    return answer("201 Created", headers=(("X-Subject-Token", TOKEN),))


def asked(**environ: str) -> dict[str, Any]:
    """What keystone is asked, with these variables; the password's ones if none are given."""
    with Server(created) as server:
        variables = {"OS_AUTH_URL": f"{server.url}/identity", **(environ or PASSWORD)}
        assert find(variables).token() == TOKEN
        (received,) = server.received
    assert (received.method, received.target) == ("POST", "/identity/v3/auth/tokens")
    request: dict[str, Any] = json.loads(received.body)["auth"]
    return request


def test_user_and_password_are_scoped_to_the_project() -> None:
    user = {"name": "admin", "password": "very secret", "domain": DEFAULT}
    assert asked() == {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"name": "admin", "domain": DEFAULT}},
    }


def test_domains_are_given_by_name_or_id() -> None:
    request = asked(**PASSWORD, OS_USER_DOMAIN_NAME="People", OS_PROJECT_DOMAIN_ID="d1")
    assert request["identity"]["password"]["user"]["domain"] == {"name": "People"}
    assert request["scope"]["project"]["domain"] == {"id": "d1"}


def test_ids_need_no_domain() -> None:
    request = asked(OS_USER_ID="u1", OS_PASSWORD="p", OS_PROJECT_ID="p1")
    assert request["identity"]["password"]["user"] == {"id": "u1", "password": "p"}
    assert request["scope"] == {"project": {"id": "p1"}}


def test_a_system_scope_wins_over_a_project() -> None:
    assert asked(**PASSWORD, OS_SYSTEM_SCOPE="all")["scope"] == {"system": {"all": True}}


def test_without_a_project_there_is_no_scope() -> None:
    assert "scope" not in asked(OS_USERNAME="u", OS_PASSWORD="p")


def test_old_openrc_files_say_tenant() -> None:
    request = asked(OS_USERNAME="u", OS_PASSWORD="p", OS_TENANT_NAME="t")
    assert request["scope"] == {"project": {"name": "t", "domain": DEFAULT}}


def test_an_application_credential_has_no_scope() -> None:
    request = asked(OS_APPLICATION_CREDENTIAL_ID="a1", OS_APPLICATION_CREDENTIAL_SECRET="s")
    credential = {"id": "a1", "secret": "s"}
    assert request == {
        "identity": {
            "methods": ["application_credential"],
            "application_credential": credential,
        }
    }


def test_an_application_credential_by_name_needs_its_user() -> None:
    request = asked(
        OS_AUTH_TYPE="v3applicationcredential",
        OS_APPLICATION_CREDENTIAL_NAME="mine",
        OS_APPLICATION_CREDENTIAL_SECRET="s",
        OS_USERNAME="me",
    )
    assert request["identity"]["application_credential"] == {
        "name": "mine",
        "secret": "s",
        "user": {"name": "me", "domain": DEFAULT},
    }


def test_a_token_is_scoped_anew() -> None:
    request = asked(OS_TOKEN="old", OS_PROJECT_ID="p1")
    assert request["identity"] == {"methods": ["token"], "token": {"id": "old"}}
    assert request["scope"] == {"project": {"id": "p1"}}


@pytest.mark.parametrize("path", ["", "/", "/v3", "/v3/", "/v2.0"])
def test_the_version_in_the_address_does_not_matter(path: str) -> None:
    with Server(created) as server:
        find({"OS_AUTH_URL": f"{server.url}/identity{path}", **PASSWORD}).token()
        assert server.received[0].target == "/identity/v3/auth/tokens"


@pytest.mark.parametrize("kind", ["none", "noauth", "noauth2", "NONE"])
def test_a_placement_without_keystone_takes_admin(kind: str) -> None:
    assert find({"OS_AUTH_TYPE": kind, "OS_AUTH_URL": "http://unused"}).token() == "admin"


def test_a_token_for_placement_itself_is_used_as_it_is() -> None:
    assert find({"OS_AUTH_TYPE": "admin_token", "OS_TOKEN": "given"}).token() == "given"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "There are no credentials: OS_AUTH_URL and OS_CLOUD are not set. Source an openrc"),
        ({"OS_AUTH_URL": "u"}, "OS_AUTH_URL is set, but OS_USERNAME is not. Source an openrc"),
        (
            {"OS_AUTH_URL": "u", "OS_USERNAME": "me"},
            "OS_AUTH_URL is set, but OS_PASSWORD is not.",
        ),
        (
            {"OS_AUTH_URL": "u", "OS_AUTH_TYPE": "token"},
            "OS_AUTH_URL is set, but OS_TOKEN is not.",
        ),
        (
            {"OS_AUTH_URL": "u", "OS_APPLICATION_CREDENTIAL_SECRET": "s"},
            "OS_AUTH_URL is set, but OS_APPLICATION_CREDENTIAL_NAME is not.",
        ),
        (
            {"OS_AUTH_URL": "u", "OS_AUTH_TYPE": "v3oidcpassword"},
            "OS_AUTH_TYPE=v3oidcpassword is not known here. Use password, token, "
            "v3applicationcredential, v3password, v3token or none; for other kinds, OS_CLOUD",
        ),
    ],
)
def test_missing_credentials_are_named(environ: dict[str, str], message: str) -> None:
    with pytest.raises(TargetError) as caught:
        find(environ)
    assert str(caught.value).startswith(message)


def refused(reply: bytes) -> str:
    with Server(lambda received: reply) as server:
        credentials = find({"OS_AUTH_URL": server.url, **PASSWORD})
        with pytest.raises(TargetError) as caught:
            credentials.token()
    assert "very secret" not in str(caught.value) + repr(credentials)
    return str(caught.value).replace(server.url, "URL")


def test_wrong_credentials_name_the_user_and_never_the_password() -> None:
    assert refused(answer("401 Unauthorized")).startswith(
        "keystone at URL/v3 refuses the credentials of user admin. Check user, password,"
    )


def test_an_address_that_is_not_keystone_is_said() -> None:
    assert refused(answer("404 Not Found")).startswith(
        "URL/v3/auth/tokens answers 404 to a request for a token. OS_AUTH_URL has to be keystone's"
    )


def test_a_keystone_that_does_not_answer_is_said() -> None:
    with Server(created) as server:
        url = server.url
    with pytest.raises(TargetError, match=f"keystone at {url}/v3 does not answer: .*refused"):
        find({"OS_AUTH_URL": url, **PASSWORD}).token()


def test_a_proxy_of_the_environment_has_no_say_on_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert asked()


def test_a_proxy_of_the_environment_has_no_say_on_another_host_of_a_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    with Server(lambda _: answer("201 Created", b"{}", (("X-Subject-Token", TOKEN),))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        far = Keystone("http://192.0.2.1:1/identity/v3", {}, None, "a user")
        assert far.token(0.2) == TOKEN, "a cloud is asked through the proxy"
        with pytest.raises(TargetError, match="does not answer"):
            replace(far, direct=True).token(0.2)


def test_a_cloud_of_clouds_yaml_gets_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openstack")

    def answers(received: Received) -> bytes:
        if received.method == "POST":
            catalog = {"token": {"methods": ["password"], "expires_at": "2999-01-01T00:00:00Z"}}
            headers = (("X-Subject-Token", TOKEN), ("content-type", "application/json"))
            return answer("201 Created", json.dumps(catalog).encode(), headers)
        link = {"rel": "self", "href": f"{server.url}/v3"}
        version = {"id": "v3.14", "status": "stable", "links": [link]}
        body = json.dumps({"version": version}).encode()
        return answer("200 OK", body, (("content-type", "application/json"),))

    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server(answers) as server:
        options = {"auth_url": f"{server.url}/v3", "username": "u", "password": "p"}
        options |= {"user_domain_id": "default", "project_domain_id": "default"}
        clouds = {"clouds": {"mine": {"auth": {**options, "project_name": "p"}}}}
        (tmp_path / "clouds.yaml").write_text(json.dumps(clouds))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
        credentials = find({"OS_CLOUD": "mine"})
        assert credentials.who == "cloud mine"
        assert credentials.token() == TOKEN
        with pytest.raises(TargetError, match=r"^OS_CLOUD=yours gives no token: .*yours"):
            find({"OS_CLOUD": "yours"}).token()


def test_clouds_yaml_without_openstacksdk_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openstack.config", None)
    with pytest.raises(TargetError) as caught:
        find({"OS_CLOUD": "mine"}).token()
    assert str(caught.value).startswith("OS_CLOUD=mine needs openstacksdk to read clouds.yaml, but")
    assert str(caught.value).endswith("Install it: pip install 'placement-harness[cloud]'.")
