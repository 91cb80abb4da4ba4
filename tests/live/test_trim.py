"""The image that stacks use is the trimmed one, and says what it lacks."""

import subprocess

import pytest

from harness.core.paths import SERVICES
from harness.stack.images.catalogue import IMAGES
from harness.stack.images.contents import contents_of
from harness.trim import cuts
from tests.live._live import LONG, Commands

PYTHON = "/opt/placement/bin/python"
# Modules that are loaded by name, and not by the import of placement.
BY_NAME = "alembic.command, keystoneauth1.identity, oslo_config_source_etcd.gateway, certifi"
WANTED = f"""
import sys, left_out, {BY_NAME}
asked = []
error = left_out.error
left_out.error = lambda name, kind, use="": asked.append(use or name) or error(name, kind, use)
import importlib.metadata, os
assert importlib.metadata.version("openstack-placement")
assert os.path.getsize(certifi.where())
os.environ["OS_PLACEMENT_DATABASE__CONNECTION"] = "mysql+pymysql://none@127.0.0.1:1/none"
os.environ["OS_PLACEMENT_DATABASE__MAX_RETRIES"] = "0"
try:
    import placement.wsgi.api
except Exception as error_of_import:
    assert type(error_of_import).__name__ == "DBConnectionError", error_of_import
kinds = left_out.Finder().kinds
print("asked:", *asked)
for name, kind in kinds.items():
    if kind == "unopened":
        __import__(name)
"""


def test_nothing_that_was_cut_is_wanted_but_by_those_who_do_without() -> None:
    tag = IMAGES["placement"].tag(contents_of(["placement"]).images["placement"])
    words = [
        "docker",
        "run",
        "--rm",
        "--network",
        "none",
        "--entrypoint",
        PYTHON,
        tag,
        "-c",
        WANTED,
    ]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    (asked,) = [line for line in ran.stdout.splitlines() if line.startswith("asked:")]
    listed = cuts.read(SERVICES / "placement" / "cuts.txt")
    guarded = {cut.what for cut in listed if cut.kind == "guarded"}
    assert {*asked.split()[1:]} <= guarded, ran.stderr
    # The last line imports what was cut, which ends in an error that names it, and is logged.
    said = ran.stdout + ran.stderr
    assert "was cut from this image, since no process of placement has imported it" in said
    assert "to services/placement/keep.txt" in said


@pytest.mark.long
def test_a_trim_goes_on_where_it_was_killed(commands: Commands) -> None:
    trim = commands.start("placement-harness", "trim", "--minutes", "0.01", "--output", "cuts.txt")
    trim.when("observing etcd", seconds=5 * LONG)
    trim.kill()
    trim = commands.start("placement-harness", "trim", "--minutes", "0.01", "--output", "cuts.txt")
    trim.when("going on: 1 verdicts are there already")
    trim.interrupt()
    assert trim.ends() == 130
    assert not (commands.folder / "cuts.txt").exists()
    commands.clear()
    assert commands.settled() == []
