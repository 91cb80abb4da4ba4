"""An image has a new content when something that it is made of has changed."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from harness.core.paths import ROOT
from harness.placements.model import Placement
from harness.stack.images import catalogue
from harness.stack.images.catalogue import IMAGES
from harness.stack.images.contents import contents_of
from tests.fakes.images import other


def images(*placements: Placement) -> Mapping[str, str]:
    return contents_of(IMAGES, placements).images


def changed(before: Sequence[Placement], after: Sequence[Placement]) -> set[str]:
    one, two = images(*before), images(*after)
    return {name for name in IMAGES if one[name] != two[name]}


def test_no_image_stands_before_those_that_it_builds_on() -> None:
    names = [*IMAGES]
    for name, image in IMAGES.items():
        assert set(image.upon) <= set(names[: names.index(name)])


def test_a_change_reaches_every_image_built_upon_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = images()
    shutil.copytree(ROOT / "services", tmp_path / "services")
    monkeypatch.setattr(catalogue, "SERVICES", tmp_path / "services")
    assert images() == before
    with (tmp_path / "services/placement/Dockerfile").open("a") as file:
        file.write("# changed\n")
    after = images()
    different = {name for name in IMAGES if after[name] != before[name]}
    assert different == {"placement", "mariadb", "mariadb-10.11"}


def test_the_locked_release_by_its_name_is_the_same_image() -> None:
    assert images(other(locked=True)) == images()


def test_another_placement_has_its_own_image_and_a_database_with_its_schema() -> None:
    upon = {name for name, image in IMAGES.items() if "placement" in image.upon}
    assert changed([], [other()]) == {"placement", *upon}
    assert changed([other()], [other(content="three")]) == {"placement"}
    assert changed([other()], [other(schema="four")]) == upon


def test_databases_of_two_releases_of_debian_are_two_images() -> None:
    assert images()["mariadb"] != images()["mariadb-10.11"]


def test_what_a_stack_is_made_of_does_not_depend_on_its_placements() -> None:
    assert contents_of(IMAGES, [other()]).made_of == contents_of(IMAGES).made_of
    assert contents_of(["apache"]).made_of != contents_of(["memcached"]).made_of
