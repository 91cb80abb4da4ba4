"""A failed test explains itself, and never shows a token or a password."""

from __future__ import annotations

import _fake
import pytest
from _project import Project

FAILING = """
tests:
- name: before
  GET: /
- name: a claim is refused
  PUT: /status/409
  request_headers:
    content-type: application/json
    x-auth-token: $ENVIRON['SERVICE_TOKEN']
    x-empty: ""
  data: {name: "it's", password: not for your eyes}
  status: 204
"""


def test_a_failure_shows_the_exchange_and_how_to_repeat_it(project: Project) -> None:
    project.suite(FAILING)
    project.fake(replicas=2)
    result = project.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*_ a claim is refused _*",
            "'409' not found in [[]'204']",
            "*- request -*",
            "PUT http://fake.example:8778/placement/status/409",
            "x-auth-token: (hidden)",
            '  "password": "(hidden)"',
            "*- response (replica 2, *.* ms) -*",
            "409 Whatever",
            "x-openstack-request-id: req-2",
            "*- again -*",
            "TOKEN=$(get a token)",
            "curl -sS -i -X PUT -H 'content-type: application/json' "
            """-H "x-auth-token: $TOKEN" -H 'x-empty;' --data-binary '*' """
            "http://fake.example:8778/placement/status/409",
            "*- log of replica 1 -*",
            "INFO req-2 GET with (hidden)",
            "FAILED gabbits/one.yaml::a claim is refused - '409' not found in*",
        ]
    )
    assert _fake.TOKEN not in str(result.stdout)
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_failure_names_its_line_in_the_suite(project: Project) -> None:
    project.suite(FAILING)
    project.run("--tb=line").stdout.fnmatch_lines(["*/gabbits/one.yaml:5: '409' not found in*"])


def test_a_failure_in_junit_hides_the_token_too(project: Project) -> None:
    project.suite(FAILING)
    project.run("--junitxml=junit.xml", "-o", "junit_logging=all")
    xml = (project.path / "junit.xml").read_text()
    assert "PUT http://fake.example:8778/placement/status/409" in xml
    assert _fake.TOKEN not in xml
    assert "message=\"'409' not found in" in xml


def test_a_target_that_no_curl_reaches_gets_no_curl_line(project: Project) -> None:
    project.suite(FAILING)
    project.fake(curl="none")
    project.run().stdout.no_fnmatch_line("curl*")


def test_logs_that_cannot_be_read_do_not_hide_the_failure(project: Project) -> None:
    project.suite(FAILING)
    project.fake(explain="fails")
    project.run().stdout.fnmatch_lines(
        ["*- log of the target -*", "cannot be read: The log is gone. Nothing to do."]
    )


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        (
            "/refused",
            [
                "ConnectionRefusedError: nobody listens",
                "*- no answer in *.* ms -*",
                "ConnectionRefusedError: nobody listens",
            ],
        ),
        ("/slow", ["ReadTimeout: no answer within 30 s", "*- no answer in *.* ms -*"]),
    ],
)
def test_no_answer_is_said_without_a_traceback(
    project: Project, path: str, lines: list[str]
) -> None:
    project.suite(f"tests:\n- {{name: one, GET: {path}}}\n")
    result = project.run()
    result.stdout.fnmatch_lines(lines)
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_failure_before_the_request_has_no_exchange(project: Project) -> None:
    project.suite("tests:\n- {name: one, GET: \"/$ENVIRON['NO_SUCH_VARIABLE']\"}\n")
    result = project.run()
    result.stdout.fnmatch_lines(["unable to replace $ENVIRON in *"])
    result.stdout.no_fnmatch_line("*- request -*")


def test_a_bug_in_a_handler_shows_where(project: Project) -> None:
    project.module(
        "from gabbi.handlers import base\n"
        "class Handler(base.ResponseHandler):\n"
        "    test_key_suffix = 'odd'\n"
        "    test_key_value = []\n"
        "    def action(self, test, item, value=None):\n"
        "        return {}['missing']\n",
        "odd",
    )
    project.settings(gabbi_response_handlers="odd:Handler")
    project.suite("tests:\n- {name: one, GET: /, response_odd: [it]}\n")
    result = project.run_apart()
    result.stdout.fnmatch_lines(["*odd.py*line 6, in action", "KeyError: 'missing'"])


def test_verbose_tests_print_their_exchange_without_the_token(project: Project) -> None:
    project.suite(FAILING.replace("status: 204", "status: 409\n  verbose: true"))
    result = project.run("-s")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "*#### a claim is refused ####",
            "> PUT http://fake.example:8778/placement/status/409",
            "> x-auth-token: (hidden)",
            '*"password": "(hidden)"*',
            "< 409 Whatever",
        ]
    )
    assert _fake.TOKEN not in str(result.stdout)


@pytest.mark.parametrize(("verbose", "headers", "body"), [("headers", 1, 0), ("body", 0, 1)])
def test_verbose_shows_the_part_that_is_asked_for(
    project: Project, verbose: str, headers: int, body: int
) -> None:
    project.suite(f"tests:\n- {{name: one, GET: /here, verbose: {verbose}}}\n")
    shown = str(project.run("-s").stdout)
    assert ("< content-type: application/json" in shown) == bool(headers)
    assert ('"name": "value"' in shown) == bool(body)
