"""The placement image is small, and one with a shell and tools can be built beside it."""

import os
import subprocess

import pytest

from harness.engine.compose import ca_bundle
from harness.stack.images.catalogue import IMAGES, needed
from harness.stack.images.contents import contents_of
from harness.stack.model.record import Secrets
from tests.live._live import LONG, ROOT, docker

MOST_BYTES = 63_000_000
# A tag of its own: under the content's, every run would take the image with the tools.
DEBUG = "debug-of-the-tests"


def test_the_placement_image_is_small() -> None:
    tag = IMAGES["placement"].tag(contents_of(["placement"]).images["placement"])
    assert int(docker("image", "inspect", "--format", "{{.Size}}", tag)) <= MOST_BYTES


@pytest.mark.long
def test_the_image_with_tools_is_built_by_hand_and_has_placement() -> None:
    contents = contents_of(needed("mariadb", "env"))
    words = ["docker", "compose", "--env-file", os.devnull, "build", "placement"]
    variables = {
        **Secrets().environment(),
        **contents.variables(),
        IMAGES["placement"].variable: DEBUG,
        "HARNESS_CA_BUNDLE": ca_bundle(),
        "HARNESS_PLACEMENT_TARGET": "debug",
    }
    built = subprocess.run(
        words,
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=5 * LONG,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-3000:]
    tag = IMAGES["placement"].tag(DEBUG)
    run = ("run", "--rm", "--network", "none", "--entrypoint")
    try:
        assert docker(*run, "curl", tag, "--version").startswith("curl ")
        assert docker(*run, "strace", tag, "-V").startswith("strace ")
        assert docker("run", "--rm", "--network", "none", tag, "--version")
        docker(*run, "python", tag, "-c", "import placement.deploy")
    finally:
        docker("rmi", tag)
