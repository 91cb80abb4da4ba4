"""Trials run the harness's own commands, on copies of the project."""

from pathlib import Path

import pytest
import yaml

from harness.consistency.faults import FAULTS
from harness.consistency.workloads import WORKLOADS
from harness.core.errors import UsageError
from harness.core.paths import COMPOSE_FILE, PROJECT_VARIABLE, SERVICES
from harness.trim import proof, suites
from harness.trim.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    return Workspace("")


def test_a_copy_has_its_own_cuts_and_all_that_images_are_made_of(workspace: Workspace) -> None:
    folder = workspace.project("trimmed", "unopened site pip/**/*\n")
    assert (folder / "services/placement/cuts.txt").read_text() == "unopened site pip/**/*\n"
    assert (folder / "compose.yaml").read_text() == COMPOSE_FILE.read_text()
    for path in SERVICES.rglob("*"):
        parts = path.relative_to(SERVICES).parts
        if path.is_file() and path.name != "cuts.txt" and not {*parts} & {"tests", "__pycache__"}:
            assert (folder / "services" / Path(*parts)).read_bytes() == path.read_bytes()


def test_replicas_on_trial_and_the_reference_note_what_they_need(workspace: Workspace) -> None:
    folder = workspace.project("base", "", on_trial=True)
    overlay = folder / "services/reference/compose.yaml"
    for path, name in ((folder / "compose.yaml", "placement"), (overlay, "reference-placement")):
        service = yaml.safe_load(path.read_text())["services"][name]
        assert service["entrypoint"][1] == "/trim/replica.py"
        assert f"{workspace.given}:/trim:ro" in service["volumes"]
        assert f"{workspace.written}:/trim-out" in service["volumes"]
    # An edit of what is kept makes no other image of trials.
    assert (folder / "services/placement/keep.txt").read_text() == ""


def test_commands_use_the_copy_and_a_stack_of_their_own(workspace: Workspace) -> None:
    environment = workspace.environment(Path("/copy"))
    assert environment[PROJECT_VARIABLE] == "/copy"
    assert environment["PLACEMENT_HARNESS_NAME"] == workspace.name


def test_two_trims_of_one_placement_do_not_meet(workspace: Workspace) -> None:
    with workspace, pytest.raises(UsageError, match="Another trim of this placement runs"):
        Workspace("").__enter__()
    with Workspace(""):
        pass


def test_a_placement_that_is_not_there_is_refused(workspace: Workspace) -> None:
    del workspace
    with pytest.raises(UsageError, match="no/such/checkout"):
        Workspace("no/such/checkout")


def test_checks_name_suites_faults_and_workloads_that_there_are() -> None:
    assert {*proof.FAULTS} <= {*FAULTS}
    assert proof.WORKLOAD in WORKLOADS
    assert all(Path(path).is_file() for path in suites.quick())


def test_failed_tests_are_named(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(
        "<testsuites><testsuite><testcase classname='a' name='x'/>"
        "<testcase classname='a' name='y'><failure/></testcase>"
        "<testcase classname='b' name='z'><error/></testcase></testsuite></testsuites>"
    )
    assert suites._read(path) == suites.Ran(3, ("a::y", "b::z"))
    assert not suites.Ran(0, ()).ok
