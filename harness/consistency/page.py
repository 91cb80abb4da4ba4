"""The page of a check: what happened over time, and the calls of single rounds as timelines."""

import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.consistency import reading
from harness.consistency.check import Checked
from harness.consistency.history import History, Operation, faults_of
from harness.consistency.judge import SERVER_ERROR, Violation
from harness.report.page import filled

TEMPLATE = Path(__file__).with_name("page.html")
# Points of time of a plot, at most.
POINTS = 120
# Rounds that are shown as timelines, and calls of one round.
TIMELINES, CALLS = 12, 120


def page(checks: Sequence[Checked]) -> str:
    """One HTML file that needs no network. Raises UsageError for a history that cannot be read."""
    return filled(TEMPLATE, "Consistency", [_of(checked) for checked in checks])


def _of(checked: Checked) -> dict[str, Any]:
    wanted = [*_shown(checked)]
    faults: Sequence[tuple[float, float]] = ()
    end, rounds = 0.0, dict[int, list[Operation]]()
    for part in reading.parts(checked.path):
        faults = [(strike.begin, strike.end) for strike in part.strikes]
        end = max([end, *(call.end or call.begin for call in part.operations)])
        _keep(part, {violation.round for violation in wanted}, rounds)
    step = max(end / POINTS, 0.001)
    return {
        "title": str(checked.header.get("workload")),
        "about": _about(checked),
        "judgement": str(checked.report.judgement),
        "verdicts": [
            {"promise": verdict.promise, "judgement": str(verdict.judgement), "why": verdict.reason}
            for verdict in checked.report.verdicts
        ],
        "end": end,
        "step": step,
        "points": _points(checked.path, step),
        "faults": faults,
        "timelines": [_timeline(violation, rounds) for violation in wanted or _examples(rounds)],
    }


def _about(checked: Checked) -> str:
    header = checked.header
    words = [
        *(str(placement) for placement in header.get("placements", ())),
        *(f"{header[name]} {name}" for name in ("replicas", "clients") if name in header),
        *(str(header[name]) for name in ("database", "target") if name in header),
        *faults_of(header),
        f"seed {header.get('seed')}",
        str(checked.path),
    ]
    return ", ".join(words)


def _shown(checked: Checked) -> Iterator[Violation]:
    """The violations that have a timeline: the first of each round, new ones before known ones."""
    violations = [each for verdict in checked.report.verdicts for each in verdict.violations]
    numbers: set[int] = set()
    for violation in sorted(violations, key=lambda violation: bool(violation.known)):
        if violation.round >= 0 and violation.round not in numbers and len(numbers) < TIMELINES:
            numbers.add(violation.round)
            yield violation


def _keep(part: History, wanted: set[int], rounds: dict[int, list[Operation]]) -> None:
    """Keep the calls of the wanted rounds; of a history without violations, the first round's."""
    for number, operations in part.rounds.items():
        if number in wanted or not (wanted or rounds):
            rounds[number] = operations


def _examples(rounds: dict[int, list[Operation]]) -> list[Violation]:
    """Rounds to be shown where no promise was broken."""
    return [Violation("", number, "no promise was broken") for number in rounds]


def _points(path: Path, step: float) -> list[dict[str, Any]]:
    """Counts of calls by outcome, and latency in milliseconds, for each point of time."""
    points: dict[int, dict[str, Any]] = {}
    latencies: dict[int, list[float]] = {}
    for part in reading.parts(path):
        for call in part.operations:
            if call.end is None:
                continue
            number = int(call.end / step)
            empty = {"ok": 0, "fail": 0, "info": 0, "errors": 0}
            point = points.setdefault(number, empty)
            point[str(call.outcome)] += 1
            point["errors"] += call.status == SERVER_ERROR
            latencies.setdefault(number, []).append((call.end - call.begin) * 1000)
    for number, values in latencies.items():
        ordered = sorted(values)
        points[number]["p50"] = round(statistics.median(ordered), 2)
        points[number]["p95"] = round(ordered[int(0.95 * (len(ordered) - 1))], 2)
    return [{"at": round(number * step, 3), **points[number]} for number in sorted(points)]


def _timeline(violation: Violation, rounds: dict[int, list[Operation]]) -> dict[str, Any]:
    marked = {operation.number for operation in violation.operations}
    operations = rounds.get(violation.round, [])[:CALLS]
    return {
        "round": violation.round,
        "promise": violation.promise,
        "what": violation.what,
        "known": violation.known,
        "calls": [
            {
                "process": call.process,
                "replica": call.replica,
                "begin": call.begin,
                "end": call.end,
                "outcome": str(call.outcome),
                "marked": call.number in marked,
                "text": f"{call.kind} {json.dumps(call.value)} -> {call.status or call.error}",
                "request": call.request,
            }
            for call in operations
        ],
    }
