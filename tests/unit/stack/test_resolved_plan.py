"""A run looks up what its plan names once; what is recorded is what was built."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.config.plan import ITS_OWN, Plan
from harness.placements import checkout
from harness.stack.images import build
from harness.stack.images.catalogue import IMAGES
from harness.stack.lifecycle import reuse, up
from harness.stack.model.record import Installed, Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.resolved_plan import resolve_plan
from harness.targets.stack import StackTarget
from tests.fakes.machine import Machine
from tests.fakes.package_index import MODELS, tree, without_network
from tests.fakes.quick_engine import WELL, quick

BUILD = "compose*build placement"


@pytest.fixture(autouse=True)
def _quick(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(machine, tmp_path, monkeypatch)
    without_network(tmp_path, monkeypatch)
    # The builds themselves are run, on the fake engine.
    monkeypatch.setattr(up, "ensure_images", build.ensure_images)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tree(tmp_path / "checkout")


@pytest.fixture
def plan(source: Path) -> Plan:
    return Plan(replicas=1, name="one", placements=(str(source),))


@pytest.fixture
def digested(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The trees whose schema was digested."""
    trees: list[Path] = []
    schema: Callable[..., object] = checkout.schema

    def counted(tree: Path, lock: Path) -> object:
        trees.append(tree)
        return schema(tree, lock)

    monkeypatch.setattr(checkout, "schema", counted)
    return trees


@pytest.fixture
def target(machine: Machine) -> Iterator[Callable[[Plan], StackTarget]]:
    started: list[StackTarget] = []

    def start(plan: Plan) -> StackTarget:
        target = StackTarget(plan, machine.steps.append)
        started.append(target)
        target.start()
        return target

    yield start
    for target in started:
        target.stop()


def test_a_checkout_is_digested_once_in_a_run(
    plan: Plan, source: Path, digested: list[Path], target: Callable[[Plan], StackTarget]
) -> None:
    running = target(resolve_plan(plan, print))
    running.settings()
    assert digested.count(source) == 1
    # The copy that the image is built from is compared with it, once for each content.
    assert len(digested) == 2


def test_a_kept_stack_is_taken_over_with_one_digest_of_its_checkout(
    plan: Plan, source: Path, digested: list[Path], target: Callable[[Plan], StackTarget]
) -> None:
    kept = replace(plan, lifetime="reuse")
    target(kept).stop()
    digested.clear()
    again = target(reuse.adopted(replace(kept, placements=())))
    again.settings()
    assert digested == [source]


def test_what_is_recorded_is_what_was_built_though_the_checkout_changed_in_between(
    machine: Machine,
    plan: Plan,
    source: Path,
    tmp_path: Path,
    target: Callable[[Plan], StackTarget],
) -> None:
    built = tmp_path / "built"
    variables = tmp_path / "variables"
    copy = f'/bin/cp -r "$HARNESS_PLACEMENT_CONTEXT" {built}; /usr/bin/env > {variables}'
    machine.has("docker", {BUILD: copy, **WELL})
    resolved = resolve_plan(plan, print)
    (source / "placement/db/sqlalchemy/models.py").write_text(MODELS + "class New: pass\n")
    (source / "requirements.txt").write_text("oslo.cache\n")
    record = target(resolved).stack.record
    assert (built / "package/placement/placement/db/sqlalchemy/models.py").read_text() == MODELS
    assert "oslo.cache" not in (built / "requirements.txt").read_text()
    (installed,) = record.placements
    variable = IMAGES["placement"].variable
    assert f"{variable}={installed.content}\n" in variables.read_text()
    # A run from now on builds another image.
    assert resolve_plan(plan, print).contents.images["placement"] != installed.content


def test_a_plan_that_is_resolved_stays_as_it_is(plan: Plan) -> None:
    resolved = resolve_plan(plan, print)
    assert resolve_plan(replace(resolved, replicas=2), print).contents is resolved.contents
    assert resolved.suites == Path(plan.placements[0]) / "placement/tests/functional/gabbits"
    assert resolve_plan(Plan(name="one"), print).suites is None


def test_settings_that_were_not_given_are_resolved_as_they_were_installed(tmp_path: Path) -> None:
    limits = tmp_path / "upper.txt"
    limits.touch()
    installed = (Installed("15.0.0", constraints=str(limits)), Installed("14.0.0"))
    record = Record("one", "keep", 3, 1, ready=True, placements=installed)
    StackState("one").create(record, Secrets())
    plan = Plan(lifetime="reuse", name="one", sources={"placement": ITS_OWN})
    resolved = resolve_plan(plan, print)
    wanted = [(one.version, one.constraints) for one in resolved.contents.placements]
    assert wanted == [("15.0.0", limits), ("14.0.0", None)]
    given = replace(plan, placements=("13.0.0",), sources={"placement": "option"})
    assert [one.version for one in resolve_plan(given, print).contents.placements] == ["13.0.0"]
