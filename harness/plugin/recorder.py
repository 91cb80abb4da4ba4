"""Writes the exchanges of a run into a recording, when the run ends."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from harness import targets
from harness.core.errors import HarnessError
from harness.core.exchange import Exchange, Request
from harness.core.exchange_log import ExchangeLog, read
from harness.core.files import Scratch
from harness.core.words import counted
from harness.parity.recording import Header, refuse_existing, suite_digest, writing
from harness.plugin.controller import Owner
from harness.suites import selection
from harness.targets.base import Target

# Seconds for the request that asks for the range of microversions.
ASK_SECONDS = 10.0


class Recorder:
    """Keeps the exchanges of this process in a file, and takes those of workers from theirs.

    ``path`` is the recording to write. Raises UsageError where it exists.
    """

    def __init__(self, config: pytest.Config, path: Path) -> None:
        refuse_existing(path)
        self._config = config
        self._path = path
        self._scratch = Scratch()
        self._log = ExchangeLog(self._scratch.path / "exchanges.jsonl")
        self.written = 0

    def attach(self, run: Owner) -> None:
        """Record the exchanges of this run."""
        self._run = run
        run.stream.subscribe(self)

    def observe(self, exchange: Exchange) -> None:
        self._log.observe(exchange)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the recording of a run that has come to its end, whatever its tests say."""
        self._log.close()
        ended = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        # A run without a target ends with 0 here, and gets its exit code later.
        broke = self._run.error() is not None or self._run.lost_observer is not None
        if ended and not broke and not session.config.getoption("collectonly"):
            self._write()
        self._scratch.remove()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        what = "no recording was written: the run did not come to its end"
        if self.written:
            what = f"{counted(self.written, 'exchange')} recorded in {self._path}"
        terminalreporter.write_line(what)

    def _write(self) -> None:
        target = self._run.target
        kept = read(self._scratch.path / "exchanges.jsonl")
        exchanges = sorted([*kept, *self._run.exchanges_of_workers()], key=_started)
        with writing(self._path, self._header(target), [target.token()]) as writer:
            for exchange in exchanges:
                writer.write(exchange)
                self.written += 1

    def _header(self, target: Target) -> Header:
        settings = {setting.name: setting.value for setting in target.settings()}
        return Header(
            target=targets.kind_of(self._run.plan).name,
            recorded=datetime.now(UTC).isoformat(timespec="seconds"),
            placement=settings.get("placement", ""),
            microversions=_microversions(target),
            suites=dict(self._suites()),
            settings=settings,
            harness=version("placement-harness"),
        )

    def _suites(self) -> Iterator[tuple[str, str]]:
        for file in selection.files(self._config):
            yield file.stem, suite_digest(file)


def _started(exchange: Exchange) -> float:
    return exchange.started


def _microversions(target: Target) -> tuple[str, str]:
    """The oldest and the newest microversion; empty where the target does not say."""
    try:
        transport = target.transport()
    except (HarnessError, RuntimeError):
        # The target of another process, e.g. embedded in each worker.
        return "", ""
    try:
        answer = transport.send(Request("GET", f"{target.url}/"), timeout=ASK_SECONDS)
        (first, *_) = json.loads(answer.body)["versions"]
        return str(first["min_version"]), str(first["max_version"])
    except (OSError, ValueError, LookupError, TypeError):
        return "", ""
    finally:
        transport.close()
