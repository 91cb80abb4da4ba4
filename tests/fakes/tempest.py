"""What tests of tempest share: a program in its place that says what it is told to."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.identity.keystone import Keystone
from harness.tempest import runner

PASSWORD = "a-password-that-nobody-sees"
SUITE = """
tests:
- {name: One, GET: /}
- {name: another one, GET: /}
"""
# Speaks subunit as tempest does; PLAY says what of: pairs of a test's class and a status, and when
# each began and ended.
FAKE = """
import datetime, json, os, pathlib, subunit, sys, time
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
times = iter(play.get("times", ()))
def now():
    moment = next(times, None)
    return moment and datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
module = "tempest.scenario" + os.environ["GABBI_TEMPEST_PATH"].replace("/", ".")
for name, status, *reason in play["tests"]:
    number = name if " " in name else f"{module}.{name}.test_request"
    out.status(test_id=number, test_status="inprogress", timestamp=now())
    if reason:
        out.status(test_id=number, file_name="traceback", file_bytes=reason[0].encode(), eof=True,
                   mime_type="text/plain")
    out.status(test_id=number, test_status=status, timestamp=now())
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

    def run(self, regex: str | None = None, **more: Any) -> list[str]:
        """The verdicts; whatever happens, nothing may be left."""
        self.lines: list[str] = []
        try:
            tests = runner.run(
                keystone(), [self.suites], regex, self.lines.append, parent=self.parent, **more
            )
        finally:
            assert list(self.parent.iterdir()) == []
        return [test.verdict or "" for test in tests]


def fake_tempest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
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
