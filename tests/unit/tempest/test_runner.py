"""Suites under tempest, with a program in its place that says what it is told to."""

import json
import sys
from pathlib import Path

import pytest

from harness.core.errors import RunnerError, TargetError, UsageError
from harness.core.words import counted
from harness.identity.keystone import Keystone
from harness.tempest import runner
from tests.fakes.tempest import PASSED, PASSWORD, SUITE, Fake, fake_tempest, keystone

fake = pytest.fixture(fake_tempest)


def test_all_that_passed_is_counted_and_each_suite_has_a_line(fake: Fake) -> None:
    assert fake.run() == ["passed", "passed"]
    assert fake.lines == [
        "tempest starts, with 2 tests of 1 suite",
        "gabbits/a.yaml: 2 passed",
    ]


def test_tempest_gets_an_account_and_a_configuration_that_only_the_owner_reads(fake: Fake) -> None:
    fake.run()
    seen = fake.seen
    assert seen["accounts"] == [
        {
            "username": "admin",
            "password": PASSWORD,
            "user_domain_id": "default",
            "project_name": "admin",
            "project_domain_name": "Default",
            "roles": ["admin"],
        }
    ]
    assert "uri_v3 = http://127.0.0.1:1/identity/v3\n" in str(seen["conf"])
    modes = seen["modes"]
    assert isinstance(modes, dict)
    assert modes["accounts.yaml"] == modes["tempest.conf"] == "0o600"
    assert modes[Path(str(seen["work"])).name] == "0o700"


def test_the_password_is_on_no_command_line_and_in_no_environment(fake: Fake) -> None:
    fake.run()
    assert PASSWORD not in json.dumps([fake.seen["arguments"], fake.seen["environment"]])
    environment = fake.seen["environment"]
    assert isinstance(environment, dict)
    assert environment["HOME"] == fake.seen["work"]
    assert not [name for name in environment if name.startswith("OS_")]
    assert "127.0.0.1" in environment["no_proxy"]


def test_verdicts_are_told_apart_and_an_expected_failure_counts_once(fake: Fake) -> None:
    names = ["fails", "passes", "skips", "expected", "unexpected"]
    text = "".join(f"- {{name: {name}, GET: /}}\n" for name in [*names, "passes"])
    (fake.suites / "a.yaml").write_text(f"tests:\n{text}")
    statuses = ["fail", "success", "skip", "xfail", "uxsuccess", "success"]
    played = zip([*names, "passes"], statuses, strict=True)
    fake.play([[f"a_{name}", status] for name, status in played])
    # The two of one name stand together.
    verdicts = ["failed", "passed", "passed", "skipped", "xfailed", "xpassed"]
    assert fake.run() == verdicts
    assert fake.lines[-1] == "gabbits/a.yaml: 2 failed, 2 passed, 1 skipped, 1 xfailed"


@pytest.mark.parametrize(
    ("played", "count", "line"),
    [
        ([], 0, "gabbits/a.yaml: 0 of 2 tests"),
        (PASSED[:1], 1, "gabbits/a.yaml: 1 of 2 tests"),
        ([*PASSED, PASSED[0]], 3, "a_one.test_request passed"),
        ([*PASSED, ["b_c", "success"]], 3, "b_c.test_request passed"),
    ],
)
def test_too_few_or_too_many_tests_are_an_error_that_names_the_suite(
    fake: Fake, played: list[list[str]], count: int, line: str
) -> None:
    (fake.suites / "whole.yaml").write_text("tests: [{name: x, GET: /}]")
    fake.play([*played, ["whole_x", "success"]])
    with pytest.raises(RunnerError) as raised:
        fake.run()
    assert (
        f"tempest ran {counted(count + 1, 'test')} where the suites hold 3." in raised.value.problem
    )
    assert any(line in one for one in raised.value.evidence)
    assert not [one for one in raised.value.evidence if "whole.yaml" in one]
    assert raised.value.exit_code == 70


def test_a_set_up_that_fails_is_no_failed_test(fake: Fake) -> None:
    traceback = "Traceback (most recent call last):\n  File x\n    y()\nInvalidCredentials: no"
    fake.play([["setUpClass (gabbi_tempest.tests)", "fail", traceback]])
    with pytest.raises(RunnerError) as raised:
        fake.run()
    assert raised.value.evidence[-1] == "InvalidCredentials: no"


def test_a_tempest_that_breaks_is_shown_by_its_last_lines_without_the_password(fake: Fake) -> None:
    fake.play(PASSED, code=3, says=f"cannot go on with {PASSWORD} and gAAAA{'x' * 40}")
    with pytest.raises(RunnerError) as raised:
        fake.run()
    assert "and ended with 3." in raised.value.problem
    assert raised.value.evidence == ("cannot go on with (hidden) and (hidden)",)


def test_a_failure_says_why_without_the_password(fake: Fake) -> None:
    traceback = f"Traceback (most recent call last):\n  File x\nAssertionError: 1 != 2 {PASSWORD}\n"
    fake.play([["a_one", "fail", traceback], PASSED[1]])
    tests = runner.run(keystone(), [fake.suites], None, fake.folder.joinpath, parent=fake.parent)  # type: ignore[arg-type]
    assert [test.reason for test in tests] == ["1 != 2 (hidden)", ""]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, TargetError])
def test_nothing_is_left_after_an_interrupt_or_when_the_target_breaks(
    fake: Fake, kind: type[BaseException]
) -> None:
    def check() -> None:
        raise TargetError("x", "y") if kind is TargetError else kind

    fake.play(PASSED, sleeps=60)
    with pytest.raises(kind):
        fake.run(check=check)


def test_what_a_killed_run_left_is_removed(fake: Fake) -> None:
    (fake.parent / "tempest-old").mkdir()
    (fake.parent / "tempest-old/accounts.yaml").touch()
    fake.run()


def test_a_regex_picks_suites_and_the_files_beside_them_stay(fake: Fake) -> None:
    (fake.suites / "other.yaml").write_text(SUITE)
    (fake.suites / "data.json").write_text("{}")
    fake.run(regex="^a")
    assert fake.seen["suites"] == ["a.yaml", "data.json"]
    with pytest.raises(UsageError, match="There are no suites whose name matches x"):
        fake.run(regex="x")
    with pytest.raises(UsageError, match="makes no sense"):
        fake.run(regex="(")


@pytest.mark.parametrize("text", ["tests: 1", "fixtures: [Some]\ntests: [{name: x, GET: /}]"])
def test_what_is_no_suite_for_tempest_is_refused(fake: Fake, text: str) -> None:
    (fake.suites / "a.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"a\.yaml: .*no other fixtures and handlers"):
        fake.run()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (keystone(verify=False), "OS_INSECURE is set"),
        (
            Keystone("u", {"token": {}}, None, "the token OS_TOKEN"),
            "the token OS_TOKEN is not that",
        ),
    ],
)
def test_credentials_that_tempest_cannot_use_are_refused(
    fake: Fake, given: Keystone, words: str
) -> None:
    with pytest.raises(TargetError, match=words):
        runner.run(given, [fake.suites], None, print, parent=fake.parent)
    assert list(fake.parent.iterdir()) == []


@pytest.mark.parametrize("module", ["tempest", "gabbi_tempest", "subunit", "junitparser"])
def test_without_tempest_the_remedy_is_named(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RunnerError, match=r"pip install 'placement-harness\[tempest\]'"):
        fake.run()


# The command


def test_suites_of_other_releases_than_the_targets_are_left_out(fake: Fake) -> None:
    other = fake.suites / "other.yaml"
    other.write_text(f'placement: "<14"\n{SUITE}')
    assert fake.run(placements=["16.0.0"]) == ["passed", "passed"]
    with pytest.raises(UsageError, match=r"true for placement 16\.0\.0 in"):
        fake.run("other", placements=["16.0.0"])
