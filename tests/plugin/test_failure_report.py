"""A failed test explains itself, and never shows a token or a password."""

from __future__ import annotations

import pytest

from tests.fakes import target as fake_target
from tests.fakes.project import Project

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
            "status 409, expected 204",
            "gabbits/one.yaml:5",
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
            """-H "x-auth-token: $TOKEN" -H 'x-empty;' --data-raw '*' """
            "http://fake.example:8778/placement/status/409",
            "*- log of replica 1 -*",
            "INFO req-2 GET with (hidden)",
            "FAILED gabbits/one.yaml::a claim is refused - status 409, expected*",
        ]
    )
    assert fake_target.TOKEN not in str(result.stdout)
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_failure_names_its_line_in_the_suite(project: Project) -> None:
    project.suite(FAILING)
    project.run().stdout.fnmatch_lines(["gabbits/one.yaml:5"])


@pytest.mark.parametrize("workers", [[], ["-n1"]])
def test_a_failure_is_one_line_where_that_is_asked_for(
    project: Project, workers: list[str]
) -> None:
    project.suite(FAILING)
    result = project.run_apart("--tb=line", *workers)
    result.stdout.fnmatch_lines(
        [
            "=* FAILURES *=",
            "gabbits/one.yaml:5: status 409, expected 204",
            "=* placement *=",
        ],
    )
    for line in ("*- request -*", "status 409, expected 204", "gabbits/one.yaml:5"):
        result.stdout.no_fnmatch_line(line)


def test_a_failure_in_junit_hides_the_token_too(project: Project) -> None:
    project.suite(FAILING)
    project.run("--junitxml=junit.xml", "-o", "junit_logging=all")
    xml = (project.path / "junit.xml").read_text()
    assert "PUT http://fake.example:8778/placement/status/409" in xml
    assert fake_target.TOKEN not in xml
    assert 'message="status 409, expected' in xml


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


PYTHON = """
import pytest

def test_passes(placement):
    assert placement.get("/").ok

def test_is_refused(placement):
    placement.get("/")
    assert placement.put("/status/409", json={"name": "it"}).ok

@pytest.fixture
def provider(placement):
    placement.get("/status/404").raise_for_status()

def test_needs(provider):
    pass

def test_asks_nothing(placement):
    assert False
"""


@pytest.mark.parametrize("workers", [[], ["-n1"]])
def test_a_failed_python_test_shows_its_last_exchange(project: Project, workers: list[str]) -> None:
    project.module(PYTHON, "test_python")
    project.fake(replicas=2)
    result = project.run_apart("test_python.py", "--junitxml=junit.xml", *workers)
    result.assert_outcomes(passed=1, failed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*_ ERROR at setup of test_needs _*",
            "*- request -*",
            "GET http://fake.example:8778/placement/status/404",
            "*_ test_is_refused _*",
            '>       assert placement.put("/status/409", json={"name": "it"}).ok',
            "*- request -*",
            "PUT http://fake.example:8778/placement/status/409",
            "x-auth-token: (hidden)",
            "*- response (replica 1, *.* ms) -*",
            "409 Whatever",
            "*- again -*",
            "TOKEN=$(get a token)",
            "curl -sS -i -X PUT *http://fake.example:8778/placement/status/409",
            "*- log of replica 1 -*",
            "INFO req-3 GET with (hidden)",
            "*_ test_asks_nothing _*",
        ]
    )
    assert str(result.stdout).count("- request -") == 2
    assert fake_target.TOKEN not in str(result.stdout)
    xml = (project.path / "junit.xml").read_text()
    assert fake_target.TOKEN not in xml
    assert '<property name="request id" value="req-1"' in xml
    assert '<property name="replica" value="1"' in xml


def test_a_failed_python_test_is_one_line_where_that_is_asked_for(project: Project) -> None:
    project.module(PYTHON, "test_python")
    result = project.run("test_python.py", "--tb=line")
    result.stdout.no_fnmatch_line("*- request -*")


def test_a_python_test_that_got_no_answer_makes_us_look_at_the_target(project: Project) -> None:
    project.module(
        "def test_one(placement): placement.get('/')\n"
        "def test_it(placement): placement.get('/refused')\n",
        "test_python",
    )
    project.fake(dies=2)
    result = project.run("test_python.py")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["*- no answer in *.* ms -*", "ERROR: Replica 2 died*"])


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
    assert fake_target.TOKEN not in str(result.stdout)


@pytest.mark.parametrize(("verbose", "headers", "body"), [("headers", 1, 0), ("body", 0, 1)])
def test_verbose_shows_the_part_that_is_asked_for(
    project: Project, verbose: str, headers: int, body: int
) -> None:
    project.suite(f"tests:\n- {{name: one, GET: /here, verbose: {verbose}}}\n")
    shown = str(project.run("-s").stdout)
    assert ("< content-type: application/json" in shown) == bool(headers)
    assert ('"name": "value"' in shown) == bool(body)


@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["alone", "workers"])
def test_a_failed_python_test_shows_no_token(project: Project, workers: list[str]) -> None:
    project.module(
        "def test_it(placement):\n"
        "    token = placement.headers['x-auth-token']\n"
        "    answer = placement.get('/')\n"
        "    print('sent', token)\n"
        "    assert dict(answer.request.headers) == {'x-auth-token': token, 'other': 'value'}\n",
        "test_python",
    )
    result = project.run_apart("-l", "-vv", "-rA", "--junitxml=junit.xml", *workers)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*token *= '(hidden)'", "sent (hidden)"])
    for text in (str(result.stdout), (project.path / "junit.xml").read_text()):
        assert fake_target.TOKEN[:16] not in text
        assert "assert" in text
