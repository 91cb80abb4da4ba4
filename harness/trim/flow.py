"""A whole trim, from the image with nothing cut to the file of cuts and its proof."""

from dataclasses import dataclass, field

from harness.core.measurements import Progress
from harness.footprint.measure import Footprint
from harness.footprint.text import mb
from harness.trim import cuts, proof, result
from harness.trim.cuts import Cut
from harness.trim.imported import Search
from harness.trim.modules import Graph, candidates, files
from harness.trim.run import Options, Trim
from harness.trim.trials import Trials
from harness.trim.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Outcome:
    """Footprints before and after, the text of cuts.txt, and why checks failed (title -> why)."""

    before: Footprint
    after: Footprint
    cuts: tuple[Cut, ...]
    text: str
    proofs: dict[str, str]
    verdicts: int
    flaky: list[str] = field(default_factory=list)

    @property
    def proved(self) -> bool:
        return bool(self.proofs) and not any(self.proofs.values())


def run(options: Options, say: Progress) -> Outcome:
    """Trim a placement. Raises UsageError for suites that fail with nothing cut."""
    with Workspace(options.spec) as workspace:
        trim = Trim(workspace, options, say)
        base = trim.base()
        trials = Trials(workspace, trim.project, trim.image())
        try:
            noted = trim.observe(trials)
            graph = Graph(base)
            kept = cuts.kept()
            every = files(base, kept)
            sizes = {file.module: file.size for file in every if file.module}
            (plain,) = trim.imports(trials, [[]])
            served = {
                name
                for name, path in graph.paths.items()
                if path in noted.served and not graph.is_alias(name)
            }
            for name in served:
                trim.stays[name] = f"it serves: {noted.served[graph.paths[name]]} ran in a request"
            may_go = candidates(graph, sizes, served, plain["early"], kept)
            say(f"{len(may_go)} of {len(graph.paths)} imported modules serve no request")
            search = Search(trim, trials, graph)
            search.run(may_go)
            chosen = search.run_late(kept, served)
            chosen = search.with_upstream(chosen)
            lines, _ = search.lines(chosen)
        finally:
            trials.close()
        fallen = [line.partition(" ")[2] for line in lines if line.startswith("unopened ")]
        some = result.found(every, graph, noted, chosen, fallen, base.loading.python)
        return _proved(workspace, trim, base, some, say)


def _proved(
    workspace: Workspace, trim: Trim, base: Footprint, some: list[Cut], say: Progress
) -> Outcome:
    about = [cut.line for cut in some]
    plain = workspace.project("plain", "# Nothing is cut.\n")
    say("recording the answers of the untrimmed image")
    trim.journal.ask("record", (), lambda: proof.record(workspace, plain))
    text = result.text(base, some, trim.stays, {}, trim.verdicts)
    trimmed = workspace.project("trimmed", text)
    after = trim.measured(trimmed, "after.json")
    say(f"{mb(base.size)} -> {mb(after.size)}, {len(base.modules)} -> {len(after.modules)} modules")
    proofs = proof.prove(workspace, trimmed, trim.journal, about, say)
    text = result.text(base, some, trim.stays, proofs, trim.verdicts)
    return Outcome(base, after, (*some,), text, proofs, trim.verdicts, trim.flaky)
