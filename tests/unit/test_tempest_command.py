"""`placement-harness tempest`, with a program in tempest's place that says what it is told to."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness import cli
from harness.auth import Keystone
from harness.errors import HarnessError, RunnerError, TargetError, UsageError
from harness.stack.stack import Stack
from harness.state import Record, Secrets, StackState
from harness.tempest import command, runner

PASSWORD = "a-password-that-nobody-sees"
SUITE = """
tests:
- {name: One, GET: /}
- {name: another one, GET: /}
"""
# Speaks subunit as tempest does; PLAY says what of: pairs of a test's class and a status.
FAKE = """
import json, os, pathlib, subunit, sys, time
here = pathlib.Path.cwd()
told = pathlib.Path(os.environ["PLAY"])
play = json.loads(told.read_text())
told.with_name("seen.json").write_text(json.dumps({
    "arguments": sys.argv[1:], "environment": dict(os.environ), "work": str(here),
    "accounts": json.loads((here / "accounts.yaml").read_text()),
    "conf": (here / "tempest.conf").read_text(),
    "modes": {p.name: oct(p.stat().st_mode & 0o777) for p in [here, *here.iterdir()]},
    "suites": sorted(p.name for p in pathlib.Path(os.environ["GABBI_TEMPEST_PATH"]).iterdir()),
}))
print("a line of the log", flush=True)
out = subunit.StreamResultToBytes(sys.stdout.buffer)
module = "tempest.scenario" + os.environ["GABBI_TEMPEST_PATH"].replace("/", ".")
for name, status, *reason in play["tests"]:
    number = name if " " in name else f"{module}.{name}.test_request"
    out.status(test_id=number, test_status="inprogress")
    if reason:
        out.status(test_id=number, file_name="traceback", file_bytes=reason[0].encode(), eof=True,
                   mime_type="text/plain")
    out.status(test_id=number, test_status=status)
    if status in ("xfail", "uxsuccess"):
        out.status(test_id=number, test_status="success")
sys.stdout.flush()
print(play.get("says", ""), file=sys.stderr, flush=True)
time.sleep(play.get("sleeps", 0))
sys.exit(play.get("code", 0))
"""
PASSED = [["a_one", "success"], ["a_another_one", "success"]]


def keystone(**more: object) -> Keystone:
    user = {"name": "admin", "domain": {"id": "default"}, "password": PASSWORD}
    return Keystone(
        "http://127.0.0.1:1/identity/v3",
        {"methods": ["password"], "password": {"user": user}},
        {"project": {"name": "admin", "domain": {"name": "Default"}}},
        "user admin",
        **more,  # type: ignore[arg-type]
    )


class Fake:
    """What is told to the program in tempest's place, and what it has seen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.suites = folder / "gabbits"
        self.suites.mkdir()
        (self.suites / "a.yaml").write_text(SUITE)
        self.parent = folder / "parent"
        self.parent.mkdir()
        self.play(PASSED)

    def play(self, tests: list[list[str]], **more: object) -> None:
        (self.folder / "play.json").write_text(json.dumps({"tests": tests, **more}))

    @property
    def seen(self) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.folder / "seen.json").read_text())
        return found

    def run(self, regex: str | None = None, **more: Callable[[], None]) -> list[str]:
        """The verdicts; whatever happens, nothing may be left."""
        self.lines: list[str] = []
        try:
            tests = runner.run(
                keystone(), [self.suites], regex, self.lines.append, parent=self.parent, **more
            )
        finally:
            assert list(self.parent.iterdir()) == []
        return [test.verdict for test in tests]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    package = tmp_path / "path/tempest/cmd"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package / "main.py").write_text(FAKE)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}/path")
    monkeypatch.setenv("PLAY", f"{tmp_path}/play.json")
    monkeypatch.setenv("OS_PASSWORD", PASSWORD)
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("PLACEMENT_HARNESS_NAME", raising=False)
    monkeypatch.chdir(tmp_path)
    return Fake(tmp_path)


def test_all_that_passed_is_counted_and_each_suite_has_a_line(fake: Fake) -> None:
    assert fake.run() == ["passed", "passed"]
    assert fake.lines == [
        "tempest starts, with 2 tests of 1 suites",
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
    verdicts = ["failed", "passed", "passed", "skipped", "xfailed", "unexpected"]
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
    assert f"tempest ran {count + 1} tests where the suites hold 3." in raised.value.problem
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
    with pytest.raises(UsageError, match=r"a\.yaml: .*no fixtures or handlers besides"):
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


Harness = Callable[..., tuple[object, str, str]]


@pytest.fixture
def harness(fake: Fake, capsys: pytest.CaptureFixture[str]) -> Harness:
    def call(*words: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["tempest", *words])
        said = capsys.readouterr()
        assert PASSWORD not in said.out + said.err
        return ended.value.code, said.out, said.err

    return call


@pytest.fixture
def stack(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> StackState:
    """A stack that runs, as far as anybody can tell."""
    for name in ("token", "watch", "check"):
        monkeypatch.setattr(Stack, name, lambda self, *_: "a-token")
    monkeypatch.setattr(Keystone, "token", lambda self: "a-token")
    monkeypatch.setattr(Keystone, "endpoint", lambda *_: "http://127.0.0.1:8778/placement")
    state = StackState("placement-harness")
    state.create(Record(state.name, "keep", 3, 8778, ready=True), Secrets(admin_password=PASSWORD))
    return state


def test_success_is_0_with_counts_and_the_stack_is_let_go(
    harness: Harness, stack: StackState, fake: Fake
) -> None:
    before = sorted(os.listdir(stack.directory))
    code, out, err = harness()
    assert (code, out.split(" in ")[0]) == (0, "2 passed")
    assert "gabbits/a.yaml: 2 passed" in err
    assert sorted({*os.listdir(stack.directory)} - {"lock"}) == before
    assert StackState(stack.name).acquire()
    assert str(fake.seen["work"]).startswith(str(stack.directory))


def test_failures_are_1_and_shown_and_written(
    harness: Harness, stack: StackState, fake: Fake
) -> None:
    fake.play([["a_one", "fail", "why\x00 so"], PASSED[1]])
    code, out, _ = harness("--junit-xml", "new/report.xml")
    assert code == 1
    assert out.startswith("FAILED gabbits/a.yaml::One\n  why")
    assert "1 failed, 1 passed in 1 suites in " in out
    cases = ElementTree.parse(fake.folder / "new/report.xml").findall(".//testcase")
    assert [(one.get("classname"), one.get("name"), len(one)) for one in cases] == [
        ("gabbits.a.yaml", "One", 1),
        ("gabbits.a.yaml", "another one", 0),
    ]
    assert "why" in str(cases[0][0].text)


def test_a_difference_is_70(harness: Harness, stack: StackState, fake: Fake) -> None:
    fake.play(PASSED[:1])
    code, _, err = harness("gabbits")
    assert code == 70
    assert "ERROR: tempest ran 1 tests where the suites hold 2." in err


def test_without_a_stack_the_remedy_is_named(harness: Harness) -> None:
    code, _, err = harness()
    assert code == 70
    assert "No stack placement-harness is running. Start one: placement-harness up" in err


def test_the_catalog_must_lead_to_the_placement_that_is_meant(
    harness: Harness, stack: StackState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keystone, "endpoint", lambda *_: "http://elsewhere/placement")
    code, _, err = harness()
    assert code == 70
    assert "has placement: http://elsewhere/placement. Give that address" in err


def test_a_url_needs_credentials_and_goes_with_no_name(
    harness: Harness, stack: StackState, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    url = "http://127.0.0.1:8778/placement"
    assert harness("--url", url)[0] == 70
    monkeypatch.setenv("OS_CLOUD", "some")
    assert "cloud some is not that. Set OS_AUTH_URL" in harness("--url", url)[2]
    assert harness("--url", "nonsense")[0] == 64
    assert harness("--url", url, "--name", "x")[0] == 64
    monkeypatch.delenv("OS_CLOUD")
    monkeypatch.setenv("OS_AUTH_URL", "http://127.0.0.1:1/identity")
    for name, value in (("USERNAME", "me"), ("PASSWORD", PASSWORD), ("PROJECT_NAME", "mine")):
        monkeypatch.setenv(f"OS_{name}", value)
    code, out, err = harness("--url", f"{url}/")
    assert (code, out[:8]) == (0, "2 passed"), err


def test_directories_that_are_not_there_are_refused(
    harness: Harness, stack: StackState, fake: Fake
) -> None:
    assert harness("nowhere")[0] == 64
    fake.suites.rename(fake.folder / "moved")
    code, _, err = harness()
    assert code == 64
    assert "There is no directory gabbits here." in err


def test_every_error_is_one_of_the_harness() -> None:
    assert issubclass(RunnerError, HarnessError)
    assert Path("gabbits") == command.DIRECTORY
