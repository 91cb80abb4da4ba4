"""A request that fails on real containers explains itself, and its curl line repeats it."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.live._live import Commands

SUITE = """
tests:
- name: traits are listed
  GET: $ENVIRON['PLACEMENT_SERVICE']/traits
  request_headers:
    x-auth-token: $ENVIRON['SERVICE_TOKEN']
    openstack-api-version: placement 1.39
    accept: application/json
"""


@contextmanager
def without_traits(up: Commands) -> Iterator[None]:
    """placement fails at whatever has to do with traits."""
    with up.stack().database() as connection, connection.cursor() as cursor:
        cursor.execute("RENAME TABLE traits TO elsewhere")
        try:
            yield
        finally:
            cursor.execute("RENAME TABLE elsewhere TO traits")


def section(printed: str, title: str) -> str:
    """A section of pytest's output, until the next rule."""
    found = re.search(rf"^-+ {title}[^\n]* -+\n(.*?)^[-=]+ ", printed, re.DOTALL | re.MULTILINE)
    assert found, f"no section {title} in\n{printed}"
    return found[1]


def test_a_failure_shows_exchange_logs_and_traceback_and_its_curl_line_works(
    up: Commands,
) -> None:
    suite = str(up.suite(SUITE))
    with without_traits(up):
        said = up.pytest("--stack", "reuse", suite, code=1)
    assert "500 Internal Server Error" in section(said, "response")
    (request,) = set(re.findall(r"x-openstack-request-id: (\S+)", said))
    assert f" {request} 500 " in section(said, "log of apache")
    log = section(said, "log of replica")
    assert request in log.splitlines()[0]
    assert "Traceback (most recent call last):" in log
    printed = up.harness("logs", "--request", request)
    assert "Traceback (most recent call last):" in printed
    again = subprocess.run(
        ["bash", "-c", section(said, "again")],
        env=up.environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert again.stdout.startswith("HTTP/1.1 200 OK"), again
