"""Every way to the base image, and every way in which there is none, without Docker."""

import os
import subprocess
import sys
import threading

import pytest

from harness.core import deadline
from harness.core.errors import BuildError
from harness.core.locks import FileLock
from harness.core.paths import ROOT, state_root
from harness.engine import base_image
from tests.fakes.images import MISSING, details
from tests.fakes.machine import FULL, NO_REGISTRY, Machine, fails

NO_IMAGE = {"image inspect*": MISSING}


def test_a_base_image_that_is_there_is_left_alone(machine: Machine) -> None:
    machine.has("docker", {"image inspect*": details()})
    base_image.ensure_base(machine.steps.append)
    assert machine.steps == []
    assert len(machine.calls) == 1


def test_where_a_registry_answers_the_base_image_is_pulled(machine: Machine) -> None:
    machine.has("docker", {**NO_IMAGE, "pull*": "echo trixie-slim: Pulling"})
    machine.has("mmdebstrap")
    base_image.ensure_base(machine.steps.append, "t")
    assert machine.steps == ["no image placement-harness/base:t: pulling debian:t-slim"]
    assert machine.called("docker build --tag placement-harness/base:t -")
    assert not machine.called("mmdebstrap")


def test_without_a_registry_debians_packages_become_the_base_image(machine: Machine) -> None:
    took = machine.home / "imported"
    machine.has(
        "docker", {**NO_IMAGE, "pull*": fails(NO_REGISTRY), "import*": f"exec /bin/cat > {took}"}
    )
    machine.has("mmdebstrap", {"*": "echo a tar"})
    base_image.ensure_base(machine.steps.append, "t")
    assert took.read_text() == "a tar\n"
    assert "no such host): building it from Debian's packages" in machine.steps[1]
    assert machine.steps[2] == "importing it as placement-harness/base:t"
    (call,) = (call for call in machine.calls if call.startswith("docker import"))
    assert "LABEL placement-harness.image=base" in call


def test_a_long_pull_says_now_and_then_that_it_goes_on(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "NEWS_SECONDS", 0.1)
    machine.has("docker", {**NO_IMAGE, "pull*": "echo trixie-slim: Pulling; exec /bin/sleep 0.5"})
    base_image.ensure_base(machine.steps.append)
    assert "pulling (0 s)" in machine.steps[1:]


def test_a_registry_that_hangs_is_given_up(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_image, "FIRST_LINE", 0.2)
    machine.has("docker", {**NO_IMAGE, "pull*": "exec /bin/sleep 60"})
    machine.has("mmdebstrap")
    base_image.ensure_base(machine.steps.append)
    assert "no pull (no answer within 0.2 s)" in machine.steps[1]
    assert machine.called("docker import")


def test_root_gets_mmdebstrap_installed(machine: Machine) -> None:
    machine.has("docker", {**NO_IMAGE, "pull*": fails(NO_REGISTRY)})
    mmdebstrap = machine.has("mmdebstrap").rename(machine.home / "mmdebstrap")
    machine.has("apt-get", {"*install*": f"/bin/cp {mmdebstrap} {machine.path}"})
    base_image.ensure_base(machine.steps.append)
    assert "installing mmdebstrap with apt-get" in machine.steps
    assert machine.called("mmdebstrap --variant=minbase --dpkgopt=force-unsafe-io ")
    assert any(call.startswith("mmdebstrap") and call.endswith(" trixie") for call in machine.calls)
    assert machine.called("docker import")


def no_base(machine: Machine) -> BuildError:
    with pytest.raises(BuildError) as caught:
        base_image.ensure_base(machine.steps.append)
    return caught.value


def test_without_registry_mmdebstrap_and_root_both_failures_are_named(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.has("docker", {**NO_IMAGE, "pull*": fails(NO_REGISTRY)})
    machine.has("apt-get")
    found = no_base(machine)
    assert NO_REGISTRY in found.problem
    assert "mmdebstrap, which builds it, is not installed, and only root" in found.problem
    assert "sudo apt-get install mmdebstrap" in found.remedy
    assert "docker load" in found.remedy
    assert not machine.called("apt-get")


def test_without_registry_and_apt_both_failures_are_named(machine: Machine) -> None:
    machine.has("docker", {**NO_IMAGE, "pull*": fails(NO_REGISTRY)})
    found = no_base(machine)
    assert NO_REGISTRY in found.problem
    assert "there is no apt-get to install it with" in found.problem


def test_apt_that_cannot_install_shows_why_its_lists_are_old(machine: Machine) -> None:
    machine.has("docker", {**NO_IMAGE, "pull*": fails(NO_REGISTRY)})
    lists, package = "E: Failed to fetch lists", "E: Unable to locate package mmdebstrap"
    machine.has("apt-get", {"*update*": fails(lists), "*install*": fails(package, 100)})
    found = no_base(machine)
    assert "apt-get could not install it: E: Unable to locate package" in found.problem
    assert found.evidence == (lists, package)


def test_a_failing_mmdebstrap_shows_its_errors(machine: Machine) -> None:
    machine.has("docker", {**NO_IMAGE, "pull*": fails(NO_REGISTRY)})
    machine.has("mmdebstrap", {"*": fails("I: running\nE: Failed to fetch x\nI: removing")})
    found = no_base(machine)
    assert NO_REGISTRY in found.problem
    assert "Building it with mmdebstrap failed, too: E: Failed to fetch x" in found.problem
    assert found.evidence == ("E: Failed to fetch x",)
    assert not machine.called("docker import")


@pytest.mark.parametrize("step", ["pull", "mmdebstrap", "import", "apt-get"])
def test_a_full_disk_is_named_wherever_it_fills_up(machine: Machine, step: str) -> None:
    machine.has(
        "docker",
        {
            **NO_IMAGE,
            "pull*": fails(FULL if step == "pull" else NO_REGISTRY),
            "import*": fails(FULL),
        },
    )
    if step == "apt-get":
        machine.has("apt-get", {"*install*": fails(f"E: {FULL}")})
    else:
        machine.has("mmdebstrap", {"*": fails(FULL) if step == "mmdebstrap" else "exit 0"})
    found = no_base(machine)
    assert found.problem.startswith("The disk is full: ")
    assert "docker system df" in found.remedy
    assert FULL in found.evidence[-1]


def test_an_import_that_fails_points_at_the_engines_log(machine: Machine) -> None:
    machine.has(
        "docker", {**NO_IMAGE, "pull*": fails(NO_REGISTRY), "import*": fails("invalid tar header")}
    )
    machine.has("mmdebstrap")
    found = no_base(machine)
    assert "docker did not import it: invalid tar header" in found.problem
    assert "journalctl -u docker" in found.remedy


# Before there is a virtual environment


def test_a_base_image_that_another_process_fetches_is_waited_for(machine: Machine) -> None:
    there = machine.home / "there"
    machine.has("docker", {"image inspect*": f"[ -e {there} ] && {details()}"})
    state_root().mkdir(parents=True)
    other = FileLock(state_root() / "base-trixie.lock")
    assert other.take()
    thread = threading.Thread(target=base_image.ensure_base, args=[machine.steps.append])
    thread.start()
    while not machine.steps:
        thread.join(0.01)
    there.touch()
    other.release()
    thread.join(10)
    assert machine.steps == [f"waiting for process {os.getpid()}, which fetches the base image"]
    assert not machine.called("docker pull")


def early(machine: Machine, what: str) -> "subprocess.CompletedProcess[str]":
    """What `make` runs with an interpreter that has the standard library alone."""
    words = ["-m", "harness.engine.early", what]
    variables = {"PATH": str(machine.path), "HOME": str(machine.home), "PYTHONPATH": str(ROOT)}
    # -S: without site-packages.
    return subprocess.run(
        [sys.executable, "-S", *words],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


@pytest.mark.parametrize("what", ["base", "compose"])
def test_what_is_there_already_is_not_fetched_early(machine: Machine, what: str) -> None:
    machine.has(
        "docker",
        {
            "version*": "echo 28.0.0",
            "compose version*": "echo 2.40.3",
            "image inspect*": details(),
        },
    )
    assert early(machine, what).stderr == ""


def test_the_base_image_is_fetched_with_the_standard_library_alone(machine: Machine) -> None:
    machine.has("docker", {**NO_IMAGE, "version*": "echo 28.0.0", "pull*": "echo Pulling"})
    assert "no image placement-harness/base:trixie: pulling" in early(machine, "base").stderr
    assert machine.called("docker build --tag placement-harness/base:trixie -")


def test_what_fails_early_is_left_to_the_set_up_to_explain(machine: Machine) -> None:
    machine.has("docker", {"version*": fails("no")})
    assert early(machine, "base").stderr == early(machine, "compose").stderr == ""
