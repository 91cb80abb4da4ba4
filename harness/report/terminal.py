"""Writes the harness's lines on the terminal, among pytest's own."""

import contextlib
import queue
import threading
from collections.abc import Sequence

import pytest

from harness.config.plan import Plan
from harness.core.errors import HarnessError
from harness.core.measurements import Setting
from harness.core.words import counted
from harness.report.request_stats import Tally


class Screen:
    """Writes between pytest's lines. ``progress`` may be called from any thread."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()

    @property
    def _terminal(self) -> pytest.TerminalReporter | None:
        reporter: pytest.TerminalReporter | None = self._config.pluginmanager.get_plugin(
            "terminalreporter"
        )
        return reporter

    def progress(self, line: str) -> None:
        """Write a line. A line of another thread is written by the main thread's next ``flush``."""
        self._waiting.put(line)
        if threading.current_thread() is threading.main_thread():
            self.flush()

    def flush(self) -> None:
        """Write the lines of progress that have come in."""
        while not self._waiting.empty():
            # A closed terminal must not keep a stack from being removed.
            with contextlib.suppress(OSError):
                self.line(f"  {self._waiting.get()}")

    def line(self, text: str, **markup: bool) -> None:
        """Write a line, unless pytest was told to be quiet."""
        terminal = self._terminal
        if terminal is not None and self._config.get_verbosity() >= 0:
            terminal.ensure_newline()
            # With xdist, pytest does not end the line of its dots.
            if self._config.get_terminal_writer().width_of_current_line:
                terminal.write_line("")
            terminal.write_line(text, **markup)

    def settings(self, title: str, settings: Sequence[Setting]) -> None:
        if settings:
            self.line(f"{title}: " + ", ".join(map(_setting, settings)))

    def summary(self, tally: Tally, replicas: Sequence[str], differences: int) -> None:
        """Write the replicas' numbers of requests, and latencies; with -q, only problems.

        ``differences`` is the number of tests that expected a declared difference.
        """
        terminal = self._terminal
        if terminal is None or not tally.requests:
            return
        if self._config.get_verbosity() >= 0:
            terminal.write_sep("=", "placement")
            for line in summary(tally, replicas):
                terminal.write_line(line)
            if differences:
                tests = counted(differences, "test")
                terminal.write_line(f"differ    {tests}, as declared: docs/upstream.md")
        problem = unproven(tally, replicas)
        if problem:
            terminal.write_line(problem, red=True)

    def failed(self, error: HarnessError) -> None:
        """Write the error that kept the run from being made. It is the last output of a run."""
        writer = self._config.get_terminal_writer()
        writer.line()
        head, *evidence = str(error).split("\n")
        writer.line(f"ERROR: {head}", red=True)
        for line in evidence:
            writer.line(line)


def header(plan: Plan, *, is_cluster: bool) -> str:
    """The header line: the settings of a run, and their sources.

    ``is_cluster`` says that the target is a stack, with replicas, a lifetime and a port.
    """
    parts = [_sourced(plan, "target", plan.target)]
    if is_cluster:
        if plan.replicas:
            parts.append(_sourced(plan, "replicas", counted(plan.replicas, "replica")))
        parts.append(_sourced(plan, "stack", f"{plan.lifetime} stack {plan.name}"))
        if plan.hosts:
            parts.append(_sourced(plan, "host", f"on {' and '.join(plan.hosts)}"))
        if plan.port:
            parts.append(_sourced(plan, "stack_port", f"port {plan.port}"))
        if plan.override:
            parts.append(f"with {plan.override}")
    return "placement-harness: " + ", ".join(parts)


def summary(tally: Tally, replicas: Sequence[str]) -> list[str]:
    """The lines of the summary."""
    counts = tally.by_replica(replicas)
    shares = ": " + ", ".join(f"replica {key} {count}" for key, count in counts.items())
    lines = [f"requests  {tally.requests}{shares if counts else ''}"]
    if counts and tally.of_no_replica:
        lines[0] += f", Apache itself {tally.of_no_replica}"
    if tally.unanswered:
        lines[0] += f", {tally.unanswered} without an answer"
        lines[0] += f" ({tally.closed} closed by the server)" if tally.closed else ""
    if tally.of_proxy and not counts:
        counts_by_status = sorted(tally.of_proxy.items())
        statuses = ", ".join(f"{status}: {count}" for status, count in counts_by_status)
        lines.append(
            f"proxy     {counted(tally.of_proxy.total(), 'answer')} of its own, "
            f"not placement's ({statuses})"
        )
    latency = tally.latency()
    if latency is not None:
        lines.append(
            f"latency   p50 {latency.p50:.1f} ms, p95 {latency.p95:.1f} ms, "
            f"p99 {latency.p99:.1f} ms, max {latency.longest:.1f} ms"
        )
    if tally.tests:
        lines.append(
            f"client    {tally.client * 1000:.2f} ms a test over {counted(tally.tests, 'test')}, "
            f"besides {tally.waiting:.1f} s of waiting for answers"
        )
    for lane in _lanes(tally, replicas):
        silent, requests = tally.silent(lane), tally.asked_of(lane)
        if silent and not tally.enough_for(lane):
            few = f"{counted(requests, 'request')} {'is' if requests == 1 else 'are'}"
            lines.append(f"{_names(silent)} answered nothing; {few} too few to tell")
    return lines


def unproven(tally: Tally, replicas: Sequence[str]) -> str | None:
    """The line for a run in which a replica answered nothing; None if all have answered."""
    for lane in _lanes(tally, replicas):
        silent = tally.silent(lane)
        if silent and tally.enough_for(lane):
            return (
                f"FAILED: {_names(silent)} answered none of "
                f"{counted(tally.asked_of(lane), 'request')}, so this run does not test it. "
                f"Look at its log: placement-harness logs --replica {silent[0]}"
            )
    return None


def _lanes(tally: Tally, replicas: Sequence[str]) -> list[list[str]]:
    """The replicas of each lane, without unused lanes; the first lane always counts as used."""
    lanes: dict[str, list[str]] = {}
    for replica in replicas:
        lanes.setdefault(replica.rpartition("-")[0], []).append(replica)
    return [lane for name, lane in lanes.items() if not name or len(tally.silent(lane)) < len(lane)]


def _names(replicas: Sequence[str]) -> str:
    return f"replica{'s' if len(replicas) > 1 else ''} {', '.join(replicas)}"


def _sourced(plan: Plan, name: str, value: str) -> str:
    source = plan.sources.get(name)
    return f"{value} ({source})" if source else value


def _setting(setting: Setting) -> str:
    source = f" ({setting.source})" if setting.source else ""
    return f"{setting.name} {setting.value}{source}"
