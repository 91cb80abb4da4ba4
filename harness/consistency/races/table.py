"""Tables of what races have found, as Markdown: one for each database, a column a placement."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.consistency.history import History
from harness.consistency.judge import SERVER_ERROR
from harness.consistency.races.calls import BY_NAME, CALLS
from harness.consistency.races.judge import Anomaly, Race, judge, races

# Examples of anomalies that the document shows for each database.
EXAMPLES = 40
MADE_BEFORE = "make C, before the race, while other races do the same"
HEAD = """# Races

Written by `placement-harness check --workload races --findings FILE`: pairs of calls that meet on
an object, at the same moment, through different replicas. Each race was judged by its two answers
and by the rows of the database afterwards ([consistency](consistency.md)).

- **500**: answers with 500; **2 won**: both calls were acknowledged, and exclude each other
- **lost**: acknowledged, and not there; **applied**: refused, and there all the same
- **no order**: what is there is what no order of the calls leaves
"""
# The text that follows a release in the title of a placement.
VERSION = re.compile(r" .*")
# Route by which the class C is made before a race.
MAKING = "PUT /resource_classes/{name}"
SHORT = {
    Anomaly.TWO_WINNERS: "2 won",
    Anomaly.LOST: "lost",
    Anomaly.APPLIED: "applied",
    Anomaly.NO_ORDER: "no order",
}


@dataclass(slots=True)
class _Route:
    """Counts of a route: races in which its calls met another call, and what went wrong."""

    met: int = 0
    errors: int = 0
    anomalies: Counter[Anomaly] = field(default_factory=Counter)

    def shown(self) -> str:
        if not self.met:
            return "not raced"
        parts = [f"{self.met} raced"]
        if self.errors:
            parts.append(f"**{self.errors}** x 500")
        for anomaly, words in SHORT.items():
            if self.anomalies[anomaly]:
                parts.append(f"**{self.anomalies[anomaly]}** {words}")
        return ", ".join(parts)


def document(histories: Sequence[History]) -> Iterator[str]:
    """Lines of the document. Only races whose calls met are counted."""
    yield HEAD
    databases = dict.fromkeys(str(history.header["database"]) for history in histories)
    for database in databases:
        of_database = [each for each in histories if each.header["database"] == database]
        yield from _table(database, of_database)
    for history in histories:
        yield ""
        yield f"### {title(history)}, {history.header['database']}"
        yield ""
        yield f"`{command(history)}`"
        yield ""
        yield from _examples(history)


def _table(database: str, histories: Sequence[History]) -> Iterator[str]:
    """One database: a row a route, a column a history."""
    columns = [_routes(history) for history in histories]
    yield ""
    yield f"## {database}"
    yield ""
    yield f"| route | {' | '.join(map(title, histories))} |"
    yield f"| --- |{' --- |' * len(histories)}"
    for route in dict.fromkeys(call.route for call in CALLS):
        cells = [column.get(route, _Route()).shown() for column in columns]
        yield f"| `{route}` | {' | '.join(cells)} |"


def title(history: History) -> str:
    """Placement and replicas of a history."""
    header = history.header
    placements = ", ".join(header.get("placements", ()))
    return f"{placements}, {header['replicas']} replicas"


def command(history: History) -> str:
    """The command that runs this workload again, with the same choices."""
    header = history.header
    placements = " ".join(f"--placement {VERSION.sub('', each)}" for each in header["placements"])
    return (
        f"placement-harness check --workload {header['workload']} {placements} "
        f"--database {header['database']} "
        f"--replicas {header['replicas']} --clients {header['clients']} "
        f"--seconds {header['seconds']:g} --seed {header['seed']}"
    )


def _routes(history: History) -> dict[str, _Route]:
    routes: dict[str, _Route] = {}
    for race in _met(history):
        anomaly = judge(race)
        for route in {BY_NAME[name].route for name in race.names}:
            counts = routes.setdefault(route, _Route())
            counts.met += 1
            if anomaly not in (None, Anomaly.CLASS_LOST):
                counts.anomalies[anomaly] += 1
        if anomaly is Anomaly.CLASS_LOST:
            # Clients that prepare races side by side make their classes at the same moment.
            routes.setdefault(MAKING, _Route()).anomalies[Anomaly.LOST] += 1
        for operation in race.operations:
            if operation.status == SERVER_ERROR:
                routes[BY_NAME[operation.value[1]].route].errors += 1
    return routes


def _examples(history: History) -> Iterator[str]:
    """Each pair that broke a promise, once, and how often; then the pairs with a 500."""
    broken: dict[tuple[str, ...], list[tuple[Race, Anomaly]]] = {}
    errors: Counter[str] = Counter()
    for race in _met(history):
        anomaly = judge(race)
        if anomaly is not None:
            names = (MADE_BEFORE, "") if anomaly is Anomaly.CLASS_LOST else sorted(race.names)
            broken.setdefault((anomaly, *names), []).append((race, anomaly))
        for operation in race.operations:
            if operation.status == SERVER_ERROR:
                errors[f"{operation.value[1]}: {_cause(operation.error)}"] += 1
    if not broken and not errors:
        yield "Nothing was found."
        return
    if broken:
        yield "| pair | times | what | answers |"
        yield "| --- | --- | --- | --- |"
    for (_, first, second), cases in list(broken.items())[:EXAMPLES]:
        race, anomaly = cases[0]
        answers = ", ".join(f"{call.value[1]}: {call.status}" for call in race.operations)
        if anomaly is Anomaly.CLASS_LOST:
            answers = "a success"
        pair = f"{first} / {second}".removesuffix(" / ")
        yield f"| {pair} | {len(cases)} | {anomaly} | {answers} |"
    if errors:
        yield ""
        yield "Answered with 500:"
        yield ""
        for what, count in errors.most_common(EXAMPLES):
            yield f"- {count} x {what}"


def _cause(error: str) -> str:
    """The part of a 500's detail that names the reason."""
    detail = error.partition(" ")[2]
    return detail.partition("[SQL")[0][:120].strip()


def _met(history: History) -> Iterable[Race]:
    return (race for race in races(history) if race.met)
