"""Programs inherit nothing that is meant for another project of the user's."""

import pytest

from harness.core.environment import inherited, is_inherited, proxies_of
from harness.core.process import run
from harness.core.program import Program

WITHHELD = [
    *("HARNESS_PORT", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME", "COMPOSE_FILE"),
    *("COMPOSE_COMPATIBILITY", "COMPOSE_ENV_FILES", "COMPOSE_DISABLE_ENV_FILE"),
    *("DOCKER_CONTENT_TRUST", "DOCKER_BUILDKIT", "DOCKER_DEFAULT_PLATFORM", "BUILDX_BUILDER"),
    *("PIP_CONSTRAINT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET", "PIP_NO_DEPS"),
    *("UV_CONSTRAINT", "UV_OFFLINE", "UV_EXCLUDE_NEWER", "UV_PRERELEASE", "UV_SYSTEM_PYTHON"),
]
MEANT_FOR_US = [
    *("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH"),
    *("DOCKER_TLS_VERIFY", "HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "PIP_TRUSTED_HOST", "PIP_PROXY"),
    *("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CACHE_DIR", "UV_SYSTEM_CERTS", "UV_HTTP_TIMEOUT"),
    *("PLACEMENT_HARNESS_STATE", "OS_CLOUD"),
]


@pytest.mark.parametrize("name", WITHHELD)
def test_settings_for_other_projects_reach_no_program(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    assert run("sh", "-c", f"echo ${name}", seconds=9).out == "\n"
    program = Program(["sh", "-c", f"echo ${name}"])
    assert [*program.lines()] == [""]
    program.wait()
    program.close()


@pytest.mark.parametrize("name", MEANT_FOR_US)
def test_settings_for_the_machine_are_passed_on(name: str) -> None:
    assert is_inherited(name)
    assert inherited({name: "value"}) == {name: "value"}


def test_builds_get_the_proxies_that_a_container_can_reach() -> None:
    proxy = "http://user:word@proxy.example:3128"
    assert proxies_of({"HTTP_PROXY": proxy, "no_proxy": "a"}) == ["HTTP_PROXY", "no_proxy"]
    assert proxies_of({"https_proxy": "http://localhost:3128", "no_proxy": "a"}) == []
    assert proxies_of({"https_proxy": "http://me@127.0.0.1:3128"}) == []
    assert proxies_of({}) == []
