"""The footprint of a real image, and of images that have grown on purpose."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live._live import Commands, docker, long

IMAGE = "placement-harness/placement:latest"
SITE = "/opt/placement/lib/python3.13/site-packages"
MEGABYTE = 1_000_000


@pytest.fixture
def grown(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """An image with a file of 1 MB, and a distribution of some modules that is imported."""
    chance = random.Random(request.param)
    count = chance.randint(2, 20)
    root = tmp_path / "root"
    package = root / "heavy"
    package.mkdir(parents=True)
    names = [f"part{number}" for number in range(count - 1)]
    (package / "__init__.py").write_text("".join(f"import heavy.{name}\n" for name in names))
    for name in names:
        (package / f"{name}.py").write_text("")
    (root / "heavy.pth").write_text("import heavy\n")
    (root / "placement" / "big.bin").parent.mkdir()
    (root / "placement" / "big.bin").write_bytes(chance.randbytes(MEGABYTE))
    metadata = root / "heavy-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: heavy\nVersion: 1.0\n")
    listed = ["heavy.pth", *(f"heavy/{name}.py" for name in ("__init__", *names))]
    (metadata / "RECORD").write_text("".join(f"{name},,\n" for name in listed))
    (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nCOPY root {SITE}\n")
    tag = f"harness-live-footprint:{request.param}"
    docker("build", "--quiet", "--tag", tag, str(tmp_path))
    yield tag, count
    docker("image", "rm", tag)


@pytest.mark.parametrize("grown", [0, *map(long, range(1, 10))], indirect=True)
def test_sizes_add_up_and_growth_is_found_with_its_cause(
    commands: Commands, grown: tuple[str, int]
) -> None:
    image, count = grown
    base, page = commands.folder / "base.json", commands.folder / "page.html"
    said = commands.harness("footprint", "--json", str(base), "--page", str(page))
    size = int(docker("image", "inspect", "--format", "{{.Size}}", IMAGE))
    assert f"{size} bytes in" in said
    assert sum(part["size"] for part in json.loads(base.read_text())["parts"]) == size
    assert page.stat().st_size < 5 * MEGABYTE

    words = ("--image", image, "--against", str(base), "--max-size", f"{size}b")
    said = commands.harness("footprint", *words, code=1)
    assert f"+{MEGABYTE} bytes {SITE}/placement/big.bin" in said
    assert f"+{count} modules  heavy" in said
    assert "site imports heavy" in said
    assert "LIMIT: The image has" in said
    assert "have grown: openstack-placement by 1.00 MB; heavy by" in said


def test_an_image_that_cannot_be_measured_is_named(commands: Commands) -> None:
    said = commands.harness("footprint", "--image", "no-such-image", code=64)
    assert "The engine has no image no-such-image. List its images: docker image ls." in said
    said = commands.harness("footprint", "--image", "placement-harness/memcached", code=64)
    assert "has no package placement" in said


def test_each_process_of_a_stack_is_measured(up: Commands) -> None:
    figures = up.folder / "processes.json"
    up.harness("footprint", "--processes", "--json", str(figures))
    processes = json.loads(figures.read_text())
    names = {process["service"] for process in processes}
    assert names >= {"apache", "keystone", "mariadb", "memcached", "placement-1"}
    (master, worker) = (one for one in processes if one["service"] == "placement-1")
    # Both have imported placement's libraries, and share their pages.
    assert all(30 * MEGABYTE < one["pss"] < one["rss"] for one in (master, worker))
