"""Which YAML files are suites, and what is said of those that cannot be."""

from __future__ import annotations

import pytest

from tests.fakes.project import SUITE, Project

NO_SUITE = "services: {web: {image: nginx}}\n"


def test_a_file_that_is_given_is_a_suite(project: Project) -> None:
    project.suite(name="anywhere/mine.yml")
    project.run("anywhere/mine.yml").assert_outcomes(passed=3)


def test_files_directly_in_a_given_directory_are_suites(project: Project) -> None:
    project.suite(name="mine/one.yaml")
    project.suite(NO_SUITE, name="mine/data/not-one.yaml")
    project.run("mine").assert_outcomes(passed=3)


def test_files_in_gabbits_directories_are_suites_wherever_they_are(project: Project) -> None:
    project.suite(name="deep/down/gabbits-live/one.yaml")
    project.suite(NO_SUITE, name="deep/down/other.yaml")
    project.run("deep").assert_outcomes(passed=3)


def test_a_directory_of_suites_may_end_with_the_word_and_lie_deeper(project: Project) -> None:
    for name in ("my-gabbits/one.yaml", "gabbits/deeper/two.yaml", "gabbits/deeper/yet/three.yaml"):
        project.suite(name=name)
    project.suite("- some\n- data\n", name="gabbits/deeper/data.yaml")
    project.suite("{tests: none}\n", name="gabbits/.git/four.yaml")
    project.run(".").assert_outcomes(passed=9)
    project.run_apart(".", "-n1").assert_outcomes(passed=9)


def test_without_arguments_yaml_beside_the_tests_is_left_alone(project: Project) -> None:
    project.suite(NO_SUITE, name="compose.yaml")
    project.suite(NO_SUITE, name=".zuul.yaml")
    project.suite()
    project.run().assert_outcomes(passed=3)


def test_hidden_files_are_no_suites(project: Project) -> None:
    project.suite(NO_SUITE, name="gabbits/.hidden.yaml")
    project.suite()
    project.run("gabbits").assert_outcomes(passed=3)


@pytest.mark.parametrize("arguments", [["empty"], ["empty", "gabbits"]])
@pytest.mark.parametrize("workers", [[], ["-n1"]])
def test_a_directory_without_suites_is_an_error(
    project: Project, arguments: list[str], workers: list[str]
) -> None:
    project.suite()
    project.suite(NO_SUITE, name="empty/below/not-one.yaml")
    result = project.run_apart(*arguments, *workers)
    result.stderr.fnmatch_lines(
        [
            "ERROR: */empty has no suites and no Python tests. Suites are .yaml files directly in "
            "a given directory, or in one whose name begins or ends with gabbits. "
            "--suite gabbits runs the suites of placement-harness."
        ]
    )
    assert result.ret == 4
    # What was begun has been stopped; cancelling may come before the thread has got anywhere.
    assert project.events[-1:] in ([], ["stop"])
    assert set(project.events) <= {"start", "cancel", "started", "stop"}


def test_a_directory_with_python_tests_only_is_fine(project: Project) -> None:
    project.module("def test_it(): pass\n", "test_python")
    result = project.run(".")
    result.assert_outcomes(passed=1)


def test_a_directory_whose_tests_are_all_deselected_is_fine(project: Project) -> None:
    project.suite()
    result = project.run("gabbits", "-k", "nothing")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert project.events[-1] == "stop"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("tests:\n- name: [one\n", 3, "not YAML: *"),
        ("tests: @nothing\n", 1, "not YAML: found character '@' that cannot start any token."),
        (NO_SUITE, None, "not a gabbi suite: it has no list of `tests`."),
        ("tests: {one: two}\n", None, "not a gabbi suite: it has no list of `tests`."),
        ("- one\n- two\n", None, "not a gabbi suite: it holds a list, not a mapping."),
        ("", None, "not a gabbi suite: it holds nothing, not a mapping."),
        ("tests: []\n", None, "not a gabbi suite: its list of `tests` is empty."),
        ("just words\n", None, "not a gabbi suite: it holds text, not a mapping."),
        (
            "tests:\n- name: one\n  GET: /\n- GET: /\n",
            4,
            "not a gabbi suite: Test name missing in a test in one.",
        ),
        ("tests:\n\n- name: one\n", 3, "not a gabbi suite: Test url missing in test one_one."),
        (
            "tests:\n- name: one\n  GET: /\n  statis: 200\n",
            2,
            "not a gabbi suite: Invalid test keys used in test one_one: statis.",
        ),
        (
            "tests:\n- name: one\n  GET: /\n- nothing\n",
            4,
            'not a gabbi suite: test chunk is not a dict at "nothing".',
        ),
        (
            "tests:\n- name: 404\n  GET: /\n",
            2,
            "not a gabbi suite: the name 404 is a number; put it in quotes.",
        ),
        (
            "defaults: {GET: /}\ntests: []\n",
            None,
            'not a gabbi suite: "METHOD: url" pairs not allowed in defaults.',
        ),
        (
            "defaults: 3\ntests: []\n",
            None,
            "not a gabbi suite: the defaults has a value of the wrong kind (*).",
        ),
        (
            "tests:\n- name: one\n  GET: /\n  request_headers: [1]\n",
            2,
            "not a gabbi suite: test 1 has a value of the wrong kind (*).",
        ),
    ],
)
def test_a_file_that_is_no_suite_is_one_clear_error(
    project: Project, text: str, line: int | None, problem: str
) -> None:
    path = project.suite(text)
    result = project.run()
    place = str(path) if line is None else f"{path}:{line}"
    result.stdout.fnmatch_lines(
        [
            "* ERROR collecting gabbits/one.yaml *",
            f"{place}: {_literal(problem)}",
            "A suite looks like this:",
            "    - name: placement says which versions it has",
            "ERROR gabbits/one.yaml",
        ]
    )
    result.assert_outcomes(errors=1)
    result.stdout.no_fnmatch_line("*Traceback*")
    assert project.events == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            b"fixtures: [Missing]\ntests: []\n",
            "there is no fixture Missing: gabbi_fixture_modules names no module.",
        ),
        (b"tests: [\xe9]\n", "cannot be read: 'utf-8' codec can't decode byte 0xe9 *."),
    ],
)
def test_an_example_is_not_shown_where_it_does_not_help(
    project: Project, text: bytes, problem: str
) -> None:
    path = project.suite("")
    path.write_bytes(text)
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"{path}: {problem}"])
    result.stdout.no_fnmatch_line("A suite looks like this:")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (
            "tests:\n- name: one\n  GET: /\ntests:\n- name: two\n  GET: /\n",
            4,
            "the key 'tests' is in line 1 already; YAML keeps the last one alone.",
        ),
        (
            "tests:\n- name: one\n  GET: /\n  data: 2026-13-45\n",
            4,
            "a value cannot be read: month must be in 1..12. Put it in quotes if it is text.",
        ),
    ],
)
def test_what_yaml_would_take_otherwise_than_it_is_meant_is_an_error_with_its_line(
    project: Project, text: str, line: int, problem: str
) -> None:
    path = project.suite(text)
    result = project.run()
    result.stdout.fnmatch_lines([f"{path}:{line}: {problem}", "ERROR gabbits/one.yaml"])
    result.assert_outcomes(errors=1)


def test_a_key_twice_in_a_test_warns_as_others_run_such_suites(project: Project) -> None:
    path = project.suite(
        "tests:\n- name: one\n  GET: /\n  response_strings: [none]\n  response_strings: [value]\n"
    )
    result = project.run()
    result.assert_outcomes(passed=1, warnings=1)
    told = "the key 'response_strings' is in line 4 already; YAML keeps the last one alone."
    result.stdout.fnmatch_lines([f"*gabbits/one.yaml:5: RepeatedKeyWarning: {told}"])
    result = project.run("-W", "error")
    result.stdout.fnmatch_lines([f"{path}:5: {told}"])
    result.assert_outcomes(errors=1)


def test_the_files_own_tests_replace_those_it_merges(project: Project) -> None:
    project.suite(
        "base: &base\n  tests:\n  - {name: theirs, GET: /}\n<<: *base\n"
        "tests:\n- {name: one, GET: /}\n- {name: two, GET: /status/500}\n"
    )
    result = project.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["gabbits/one.yaml:7"])


def test_a_project_may_make_its_list_of_tests_with_a_tag(project: Project) -> None:
    project.module(
        "import yaml\n"
        "TEST = {'name': 'made', 'GET': '/status/500'}\n"
        "yaml.SafeLoader.add_constructor('!made', lambda loader, node: [dict(TEST)])\n",
        "conftest",
    )
    project.suite("defaults: {}\ntests: !made\n")
    result = project.run_apart()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["gabbits/one.yaml:2"])


def test_warnings_as_errors_name_the_file(project: Project) -> None:
    project.suite()
    project.run("-W", "error").assert_outcomes(passed=3)
    path = project.suite(name="gabbits/with_underscore.yaml")
    result = project.run("-W", "error")
    result.stdout.fnmatch_lines([f"{path}:1: '_' in test filename*Write the name with hyphens*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def _literal(problem: str) -> str:
    """The text as a pattern in which only ``*`` is special."""
    return problem.replace("[", "[[]")


def test_a_file_that_cannot_be_read_says_why(project: Project) -> None:
    path = project.suite()
    path.write_bytes(b"tests: \xff\xfe\n")
    result = project.run()
    result.stdout.fnmatch_lines([f"{path}: cannot be read: 'utf-8' codec*"])


def test_a_bad_suite_keeps_the_others_from_running(project: Project) -> None:
    project.suite()
    project.suite(NO_SUITE, name="gabbits/two.yaml")
    result = project.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert project.events[0] == "start"
    assert project.events[-1] == "stop"
    project.run("--continue-on-collection-errors").assert_outcomes(passed=3, errors=1)


def test_an_underscore_in_a_file_name_warns_as_gabbi_does(project: Project) -> None:
    project.suite(name="gabbits/with_underscore.yaml")
    result = project.run()
    result.assert_outcomes(passed=3, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "*with_underscore.yaml:1: GabbiSyntaxWarning: '_' in test filename "
            "with_underscore.yaml. This can break suite grouping."
        ]
    )


def test_a_suite_keeps_its_meaning_when_the_project_adds_yaml_tags(project: Project) -> None:
    project.module(
        "import yaml\n"
        "yaml.SafeLoader.add_constructor('!twice', lambda loader, node: node.value * 2)\n",
        "tags",
    )
    project.settings(gabbi_fixture_modules="tags")
    project.suite("tests:\n- {name: tagged, GET: /status/40, status: !twice 20}\n")
    result = project.run_apart()
    result.stdout.fnmatch_lines(["*status 40, expected 2020"])


def test_the_plugin_is_inert_until_it_is_asked_for(project: Project) -> None:
    project.suite(SUITE)
    project.module(
        "import sys\n"
        "def test_nothing_is_imported():\n"
        "    heavy = ('gabbi', 'httpx', 'requests', 'urllib3', 'yaml')\n"
        "    heavy = (*heavy, 'harness.plugin.controller')\n"
        "    assert [name for name in heavy if name in sys.modules] == []\n",
        "test_inert",
    )
    result = project.pytester.runpytest_subprocess("-p", "no:anyio")
    result.assert_outcomes(passed=1)
    assert project.events == []
