"""Tries what is imported and may go all the same, from the largest parts to the smallest."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from harness.trim import search
from harness.trim.modules import Candidate, Graph, outermost, parents
from harness.trim.run import TRIED, Trim
from harness.trim.trials import Trials

# A cut that saves fewer modules, and fewer bytes, is not worth its trial and its risk.
MODULES, BYTES = 3, 300_000
# So many modules an import has to save at the start to be made later.
LATE_MODULES = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate, and the kind of cut with which placement can be imported without it."""

    candidate: Candidate
    kind: str

    @property
    def line(self) -> str:
        return f"{self.kind} {self.candidate.module}"


class Search:
    """The search for what may go although it is imported."""

    def __init__(self, trim: Trim, trials: Trials, graph: Graph) -> None:
        self._trim = trim
        self._trials = trials
        self._graph = graph
        self._why = ""
        self.accepted: list[Choice] = []

    def run(self, every: Sequence[Candidate]) -> list[Choice]:
        """The candidates that may go together: with them, all suites pass.

        A candidate that does not pass gives way to smaller ones in it, as long as there is time.
        """
        waiting = [each for each in every if _is_worth_it(each)]
        while waiting and not self._trim.late:
            some = self._importable(waiting)
            if not some:
                break
            before = [*self.accepted]
            self.accepted += search.passing(some, partial(self._trial, before), self._refuse)
            waiting = [
                each
                for each in waiting
                if each.module not in self._trim.stays
                and not any(each.falls <= choice.candidate.falls for choice in self.accepted)
            ]
        return self.accepted

    def run_late(self, kept: Collection[str], served: Collection[str]) -> list[Choice]:
        """The choices, and what stays and can be imported when it is used for the first time.

        The modules that it alone imports stay as well.
        """
        late = [
            Choice(Candidate(name, falls), "late")
            for name in kept
            if len(falls := self._graph.without(name)) >= LATE_MODULES and not falls & {*served}
        ]
        before = [*self.accepted]
        self.accepted += search.passing(late, partial(self._trial, before), self._refuse)
        return self.accepted

    def with_upstream(self, choices: Sequence[Choice]) -> list[Choice]:
        """The choices with which placement's own suites pass, too."""
        return search.passing(
            choices, lambda some: self._verdict(some, ("upstream",)), self._refuse
        )

    def lines(self, choices: Sequence[Choice]) -> tuple[list[str], str | None]:
        """All that replicas go without then, fallen modules too; and why the import fails."""
        chosen = [choice.line for choice in choices]
        (answer,) = self._trim.imports(self._trials, [chosen])
        if answer["error"] is not None:
            return chosen, answer["error"]
        gone = {choice.candidate.module for choice in choices}
        here = {*answer["modules"]}
        here.update(*(choice.candidate.falls for choice in choices if choice.kind == "late"))
        here.update(parent for module in answer["modules"] for parent in parents(module))
        fallen = sorted(
            module
            for module, path in self._graph.paths.items()
            if path.startswith("/") and module not in here and not gone & {module, *parents(module)}
        )
        return [*chosen, *(f"unopened {module}" for module in fallen)], None

    def _importable(self, waiting: Sequence[Candidate]) -> list[Choice]:
        """The outermost candidates without which placement can be imported.

        Where it cannot, the smaller candidates in them are tried.
        """
        choices: list[Choice] = []
        rest = [*waiting]
        base = [choice.line for choice in self.accepted]
        stays = self._trim.stays
        while rest and not self._trim.late:
            outer = outermost(rest)
            for kind in TRIED:
                tried = [
                    each
                    for each in outer
                    if all(choice.candidate is not each for choice in choices)
                ]
                sets = [[*base, f"{kind} {each.module}"] for each in tried]
                answers = self._trim.imports(self._trials, sets)
                for each, answer in zip(tried, answers, strict=True):
                    # A module may be in sys.modules by another way than its finder's.
                    stays[each.module] = (
                        "it is there without an import of it"
                        if answer["error"] is None
                        else f"placement is not imported: {answer['error']}"
                    )
                    gone = kind == "standin" or each.module not in answer["modules"]
                    if answer["error"] is None and gone:
                        choices.append(Choice(each, kind))
                        del stays[each.module]
            rest = [
                each
                for each in rest
                if each.module not in stays
                and not any(each.falls <= choice.candidate.falls for choice in choices)
            ]
        return choices

    def _refuse(self, choice: Choice) -> None:
        self._trim.stays[choice.candidate.module] = self._why

    def _trial(
        self, before: Sequence[Choice], choices: Sequence[Choice]
    ) -> Sequence[Choice] | None:
        if self._trim.late:
            self._why = "no time was left to try it"
            return choices
        return self._verdict([*before, *choices], ("quick", "all"))

    def _verdict(self, choices: Sequence[Choice], tiers: Sequence[str]) -> Sequence[Choice] | None:
        lines, error = self.lines(choices)
        if error is not None:
            self._why = f"placement is not imported: {error}"
            return self._named(choices, error.replace(",", " ").split())
        for what in tiers:
            verdict = self._trim.passes(self._trials, lines, what)
            if verdict["failed"]:
                self._why = f"{verdict['failed'][0]} fails"
                return self._named(choices, verdict["used"])
        return None

    @staticmethod
    def _named(choices: Sequence[Choice], names: Sequence[str]) -> list[Choice]:
        """The choices that an error names, or that were used."""
        return [
            choice
            for choice in choices
            if any(f"{name}.".startswith(f"{choice.candidate.module}.") for name in names)
        ]


def _is_worth_it(candidate: Candidate) -> bool:
    return len(candidate.falls) >= MODULES or candidate.size >= BYTES
