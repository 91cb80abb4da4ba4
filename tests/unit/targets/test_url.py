"""A placement by its URL: what is checked before the first test, and what is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.config.plan import Plan
from harness.core.errors import TargetError
from harness.targets import url
from harness.targets.base import Explains
from tests.fakes.server import Received, Server, answer

VERSIONS = {"versions": [{"id": "v1.0", "min_version": "1.0", "max_version": "1.39"}]}
ROOT = answer(body=json.dumps(VERSIONS).encode())


@pytest.fixture(autouse=True)
def noauth(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OS_CLOUD", "OS_AUTH_URL", "OS_CACERT", "OS_INSECURE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OS_AUTH_TYPE", "none")


def placement(status: str = "200 OK") -> Callable[[Received], bytes]:
    """A placement that answers all but its root with this status."""
    return lambda received: ROOT if received.target.endswith("/placement/") else answer(status)


def at(server: Server) -> url.Remote:
    return url.make(Plan(target=f"{server.url}/placement"))


def test_a_placement_that_takes_the_token_is_fine() -> None:
    with Server(placement()) as server:
        target = at(server)
        target.start()
        assert server.received[-1].headers["x-auth-token"] == b"admin"
        assert [(one.name, one.value, one.source) for one in target.settings()] == [
            ("placement", f"{server.url}/placement", "microversions 1.0 to 1.39"),
            ("authentication", "noauth2", ""),
        ]
        target.check()
        target.stop()


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("401 Unauthorized", "does not take the token of noauth2 (401). Give an administrator's"),
        ("403 Forbidden", "allows nothing to the token of noauth2 (403). Give an administrator's"),
    ],
)
def test_a_token_that_is_refused_is_said(status: str, message: str) -> None:
    with Server(placement(status)) as server, pytest.raises(TargetError) as caught:
        at(server).start()
    assert str(caught.value).startswith(f"{server.url}/placement {message}")


@pytest.mark.parametrize(
    "reply",
    [answer("404 Not Found", b"<html>"), answer(body=b"[]"), answer(body=b'{"versions": []}')],
)
def test_an_address_that_is_not_placement_is_said(reply: bytes) -> None:
    with Server(lambda received: reply) as server, pytest.raises(TargetError) as caught:
        at(server).start()
    assert "but not as placement does. Give placement's own address:" in str(caught.value)


def test_an_address_where_nobody_listens_is_said() -> None:
    with Server(placement()) as server:
        target = at(server)
    with pytest.raises(TargetError) as caught:
        target.start()
    assert str(caught.value).startswith(f"{target.url} cannot be reached: ")
    assert "Check the address, and that placement runs there." in str(caught.value)
    with pytest.raises(TargetError, match=r"has gone: .*See what became of it"):
        target.check()


def test_a_certificate_that_is_not_trusted_names_the_variable() -> None:
    with Server(placement()) as server:
        target = url.make(Plan(target=server.url.replace("http", "https")))
        with pytest.raises(TargetError, match="OS_CACERT names its file"):
            target.start()


def test_a_proxy_that_is_not_asked_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with Server(placement()) as server:
        target = at(server)
    with pytest.raises(TargetError, match="directly, not through the proxy"):
        target.start()


@pytest.mark.parametrize(
    ("said", "verify", "certificates"),
    [({"verify": False}, False, None), ({"cacert": "/ca.pem"}, True, "/ca.pem"), ({}, True, None)],
)
def test_clouds_yaml_decides_about_placements_certificate_too(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: dict[str, object],
    verify: bool,
    certificates: str | None,
) -> None:
    pytest.importorskip("openstack")
    clouds = {"clouds": {"mine": {"auth_type": "none", "endpoint": "http://host", **said}}}
    (tmp_path / "clouds.yaml").write_text(json.dumps(clouds))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    monkeypatch.setenv("OS_AUTH_TYPE", "")
    monkeypatch.setenv("OS_CLOUD", "mine")
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(url, "HttpTransport", lambda **how: asked.append(how))
    target = url.make(Plan(target="https://host"))
    target.transport()
    target.transport(verify=False)
    assert asked[0] == {"verify": verify, "certificates": certificates}
    assert asked[1]["verify"] is False


def test_workers_use_the_token_of_the_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OS_AUTH_TYPE")
    target = url.attach(Plan(target="http://host"), {"token": "shared"})
    assert target.token() == "shared"
    assert target.share(0) == {"token": "shared"}


@pytest.mark.parametrize(
    ("environ", "shell"),
    [
        ({"OS_AUTH_TYPE": "none"}, "TOKEN=admin"),
        ({"OS_AUTH_TYPE": "admin_token", "OS_TOKEN": "t"}, "TOKEN=$OS_TOKEN"),
        (
            {"OS_AUTH_TYPE": "", "OS_CLOUD": "mine"},
            "TOKEN=$(openstack token issue -f value -c id)",
        ),
    ],
)
def test_a_shell_gets_its_token_as_we_do(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], shell: str
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert url.make(Plan(target="http://host")).shell_token() == shell


def test_nothing_is_known_of_its_replicas_and_logs() -> None:
    target = url.make(Plan(target="http://host"))
    assert target.replicas == ()
    assert not isinstance(target, Explains)
