"""A target without containers, for tests of the plugin.

pytest loads it by ``-p tests.fakes.target``. What it does is told by JSON in the variable FAKE, and
what was done with it is appended to the file that FAKE_EVENTS names: both reach xdist's workers,
too.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from harness.config.plan import Plan
from harness.core.errors import StackError, TargetError
from harness.core.exchange import Exchange
from harness.core.measurements import Measures, Memory, Progress, Setting
from harness.targets import KINDS, Kind
from harness.targets.base import Stage, Transport, quiet
from harness.targets.wsgi import WsgiTransport
from harness.upstream.fixture_data import Fixture

TOKEN = "gAAAAABfake-token-that-nobody-may-see"
URL = "http://fake.example:8778/placement"
# Seconds.
PATIENCE = 60
DIED = StackError(
    "Replica 2 died (exit code 137).",
    "See what it said: placement-harness logs --replica 2.",
    evidence=["replica 2 | out of memory"],
)


KINDS["fake"] = Kind("fake", "tests.fakes.target", takes_stack_options=True, can_be_emptied=True)
# The other side of a comparison.
KINDS["other"] = Kind("other", "tests.fakes.other_target", can_be_emptied=True)


def event(what: str) -> None:
    with Path(os.environ["FAKE_EVENTS"]).open("a") as file:
        file.write(f"{what}\n")


class Application:
    """Answers /status/NNN with that status, /hang after a minute, and all else with 200.

    Its answers name replicas in turn, but never the ``silent`` ones.
    """

    def __init__(self, replicas: Sequence[str]) -> None:
        self._replica = itertools.cycle(replicas or [""])
        self._number = itertools.count(1)
        self.requests = 0

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.requests += 1
        path = environ["PATH_INFO"]
        if path == "/refused":
            raise ConnectionRefusedError("nobody listens")
        if path == "/slow":
            raise TimeoutError("no answer within 30 s")
        if path == "/hang":
            time.sleep(60)
            event("answered at last")
        status = path.removeprefix("/status/") if path.startswith("/status/") else "200"
        headers = [
            ("content-type", "application/json"),
            ("x-openstack-request-id", f"req-{next(self._number)}"),
        ]
        replica = next(self._replica)
        if replica:
            headers.append(("x-placement-replica", replica))
        start(f"{status} Whatever", headers)
        body: bytes = environ["wsgi.input"].read()
        return [body or b'{"name": "value", "token": "%s"}' % environ["PATH_INFO"].encode()]


class Fake:
    name = "fake"
    # The variable that says what it does.
    variable = "FAKE"
    usual_url = URL

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self._plan = plan
        self._progress = progress
        self.told: dict[str, Any] = json.loads(os.environ.get(self.variable, "{}"))
        self.cancelled = self._interrupted = False
        # Whether there is something to remove; true from the beginning of a start, also when that
        # fails, so that tests see whether a run cleans up.
        self._is_up = False
        silent = self.told.get("silent", [])
        self.application: Any = Application([one for one in self.replicas if one not in silent])
        if "application" in self.told:
            module, _, name = self.told["application"].partition(":")
            self.application = getattr(import_module(module), name)()

    @property
    def url(self) -> str:
        return str(self.told.get("url", self.usual_url))

    @property
    def replicas(self) -> tuple[str, ...]:
        return tuple(str(number + 1) for number in range(self.told.get("replicas", 0)))

    def start(self) -> None:
        event("start")
        self._is_up = True
        self._progress("starting the fake")
        begun = time.monotonic()
        while time.monotonic() - begun < self.told.get("slow", 0) and not self.cancelled:
            time.sleep(0.01)
        if self.told.get("start") == "waits":
            # A test does something meanwhile.
            while not Path("go on").exists() and time.monotonic() - begun < PATIENCE:
                time.sleep(0.01)
        if self.told.get("start") == "fails":
            raise StackError(
                "MariaDB died while starting.", "Free some disk space.", evidence=["no space left"]
            )
        if self.told.get("start") == "full":
            raise OSError(errno.ENOSPC, "No space left on device", "/state/env.partial")
        if self.told.get("start") == "bug":
            raise ZeroDivisionError
        event("started")

    def cancel(self) -> None:
        event("cancel")
        self.cancelled = True

    def stop(self) -> None:
        """Remove the fake. As with a stack, there is nothing to do once it is removed."""
        if not self._is_up:
            return
        if self.told.get("stop") == "said":
            self._progress("stopping the fake")
        if self.told.get("stop") == "interrupted once" and not self._interrupted:
            self._interrupted = True
            event("stop interrupted")
            raise KeyboardInterrupt
        event("stop")
        if self.told.get("stop") == "fails":
            raise StackError("The network is in use.", "Remove it by hand.")
        self._is_up = False

    def share(self, worker: int) -> Mapping[str, object]:
        return {"from": "controller"}

    def token(self) -> str:
        if self.told.get("token") == "refused":
            raise TargetError("keystone refuses the credentials.", "Check them.")
        return TOKEN

    def transport(self, *, verify: bool = True) -> Transport:
        return WsgiTransport(self.application, str(self.told.get("prefix", "/placement")))

    def settings(self) -> Sequence[Setting]:
        return [Setting("placement", "16.0.0", "image"), Setting("MariaDB", "11.8")]

    def check(self) -> None:
        event("check")
        dies = self.told.get("dies")
        if dies is not None and self.application.requests >= dies:
            raise DIED

    def explain(self, exchange: Exchange) -> Mapping[str, Sequence[str]]:
        if self.told.get("explain") == "fails":
            raise StackError("The log is gone.", "Nothing to do.")
        return {"replica 1": [f"INFO {exchange.request_id} GET with {TOKEN}"]}

    def shell_token(self) -> str | None:
        return None if self.told.get("curl") == "none" else "TOKEN=$(get a token)"


class _Staged(Fake):
    @contextlib.contextmanager
    def stage(self, fixture: Fixture) -> Iterator[Stage]:
        if self.told["stage"] == "fails":
            raise StackError("keystone answers 500.", "See what it says.")
        event(f"stage {fixture.name}")
        yield Stage(self.url, {"STAGED": self.variable}, dict)
        event("unstage")


class _Measurable(Fake):
    def measure(self) -> Measures:
        event("measure")
        if self.told["measures"] == "fails":
            raise StackError("The containers could not be listed.", "See what is wrong.")
        return Measures(4.5, [Memory("placement-1", "x-placement-1", 70, 90)])


class _WithStack(Fake):
    def running_stack(self) -> str:
        return "the stack object"


class _Shared(Fake):
    def contents(self) -> Mapping[str, str]:
        """The next of the contents that FAKE lists."""
        told: dict[str, str] = self.told["contents"].pop(0)
        return told


class _WithDatabase(Fake):
    def database(self) -> _Connection:
        return _Connection()


# Capabilities, by the key of FAKE that gives them.
CAPABILITIES = {
    "stage": _Staged,
    "measures": _Measurable,
    "stack": _WithStack,
    "database": _WithDatabase,
    "contents": _Shared,
}


class _Connection:
    """A stand-in for a pymysql connection."""

    def close(self) -> None:
        event("database closed")


def make(plan: Plan, progress: Progress = quiet, kind: type[Fake] = Fake) -> Fake:
    """The fake, of a class with the capabilities that FAKE asks for."""
    told = json.loads(os.environ.get(kind.variable, "{}"))
    bases = [capability for key, capability in CAPABILITIES.items() if told.get(key)]
    fake: Fake = type("Fake", (*bases, kind), {})(plan, progress)
    return fake


def attach(plan: Plan, shared: Mapping[str, object]) -> Fake:
    event(f"attach {shared['from']}")
    fake = make(plan)
    if fake.told.get("attach") == "fails":
        raise StackError("The stack is gone.", "Start it again.")
    return fake
