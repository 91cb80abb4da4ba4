"""Options and settings of the plugin, and what is said of those that make no sense."""

from __future__ import annotations

import pytest

from tests.fakes.project import Project


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--replicas", "0"], "--replicas 0 cannot be run. Give a number from 1 to 16."),
        (["--replicas=-1"], "--replicas -1 cannot be run. Give a number from 1 to 16."),
        (["--replicas", "x"], "--replicas x cannot be run. Give a number from 1 to 16."),
        (["--replicas", "17"], "--replicas 17 cannot be run. Give a number from 1 to 16."),
        (["--replicas", ""], "--replicas  cannot be run. Give a number from 1 to 16."),
        (
            ["--target", "stak"],
            "--target stak: there is no such target. Did you mean stack? "
            "Give embedded, fake, other, reference, stack, or an http(s) URL.",
        ),
        (
            ["--target", "ftp://host"],
            "--target ftp://host: there is no such target. "
            "Give embedded, fake, other, reference, stack, or an http(s) URL.",
        ),
        (
            ["--target", "http://:80/placement"],
            "--target http://:80/placement is not a whole URL. "
            "Give placement's address, e.g. http://127.0.0.1:8778/placement.",
        ),
        (
            ["--stack", "fersh"],
            "--stack fersh: there is no such lifetime. Did you mean fresh? "
            "Give fresh, keep, reuse, replace.",
        ),
        (
            ["--database", "galeria"],
            "--database galeria: there is no such database. Did you mean galera? "
            "Give mariadb, mariadb-10.11, galera, galera-multiwriter.",
        ),
        (
            ["--config-source", "etc"],
            "--config-source etc: there is no such config source. Did you mean etcd? "
            "Give env, file, etcd.",
        ),
        (
            ["--target", "embedded", "--database", "galera"],
            "--database galera makes no sense with --target embedded: only a stack has a database "
            "to choose. Leave one of the two away.",
        ),
        (
            ["--stack-port", "65536"],
            "--stack-port 65536 is no port. "
            "Give a number from 1 to 65535, or 0 to have one chosen.",
        ),
        (
            ["--target", "embedded", "--replicas", "3"],
            "--replicas 3 makes no sense with --target embedded: only a stack has replicas to "
            "start. Leave one of the two away.",
        ),
        (
            ["--target", "embedded", "--stack", "reuse"],
            "--stack reuse makes no sense with --target embedded: only a stack has a lifetime. "
            "Leave one of the two away.",
        ),
        (
            ["--target", "http://127.0.0.1:8778", "--stack-port", "9000"],
            "--stack-port 9000 makes no sense with --target http://127.0.0.1:8778: only a stack "
            "has a port to choose. Leave one of the two away.",
        ),
        (
            ["--target", "reference", "--replicas", "3"],
            "--replicas 3 makes no sense with --target reference: only a stack has replicas to "
            "start. Leave one of the two away.",
        ),
    ],
)
def test_a_bad_option_is_a_usage_error(
    project: Project, arguments: list[str], message: str
) -> None:
    project.suite()
    result = project.pytester.runpytest_inprocess(*arguments)
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert result.ret == 4
    assert project.events == []


def test_a_name_that_no_stack_can_have_is_a_usage_error(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_NAME", "BAD NAME")
    project.suite()
    result = project.run("--stack", "reuse")
    result.stderr.fnmatch_lines(["ERROR: A stack cannot be named 'BAD NAME'. Give up to 47 *"])
    assert result.ret == 4
    # A fresh stack gets a name of its own.
    project.run().assert_outcomes(passed=3)


def test_the_header_says_where_settings_came_from(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_STACK", "keep")
    project.settings(placement_replicas="5")
    project.suite()
    result = project.run("--collect-only", "--stack-port", "9000", target="stack")
    result.stdout.fnmatch_lines(
        [
            "placement-harness: stack (option), 5 replicas (ini), "
            "keep stack placement-harness (environment), port 9000 (option)"
        ]
    )


def test_the_header_names_the_users_compose_file(project: Project) -> None:
    override = project.path / "compose.override.yaml"
    override.touch()
    project.suite()
    result = project.run("--collect-only", target="stack")
    result.stdout.fnmatch_lines([f"placement-harness: stack (option), *, with {override}"])


def test_a_variable_alone_asks_for_the_harness(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_TARGET", "fake")
    project.suite()
    project.pytester.runpytest_inprocess().assert_outcomes(passed=3)


def test_what_only_a_stack_has_may_be_set_for_a_project_with_another_target(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_STACK", "keep")
    project.suite()
    result = project.run("-o", "placement_replicas=3", "--collect-only", target="embedded")
    result.stdout.fnmatch_lines(["placement-harness: embedded (option)"])
    assert result.ret == 0


def test_an_ini_setting_alone_asks_for_the_harness(project: Project) -> None:
    project.settings(placement_target="fake")
    project.suite()
    result = project.pytester.runpytest_inprocess()
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["placement-harness: fake (ini)"])


def test_the_header_says_what_answers(project: Project) -> None:
    project.suite()
    project.run().stdout.fnmatch_lines(["target: placement 16.0.0 (image), MariaDB 11.8"])


def test_help_lists_the_options(project: Project) -> None:
    result = project.pytester.runpytest_inprocess("--help")
    result.stdout.fnmatch_lines(
        [
            "*--replicas=N*",
            "*--target=stack|reference|embedded|URL*",
            "*--stack=fresh|keep|reuse|replace*",
        ]
    )


def test_quiet_runs_say_nothing_of_themselves(project: Project) -> None:
    project.suite()
    result = project.run("-q")
    result.stdout.no_fnmatch_line("*target*")
    result.stdout.no_fnmatch_line("*requests*")


def test_an_index_that_does_not_answer_is_no_wrong_option(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.suite()
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(project.path / "state"))
    result = project.run("--placement", "14.0.1", target="stack")
    assert result.ret == 70
    result.stderr.fnmatch_lines(["ERROR: The package index could not be asked for *"])
