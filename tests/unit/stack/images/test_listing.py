"""Which images are on the machine, which of them `latest` names, and which are removed."""

from harness.stack.images import listing
from harness.stack.images.catalogue import IMAGES
from harness.stack.images.contents import contents_of
from tests.fakes.images import LIST, details, listed, listed_by_id
from tests.fakes.machine import Machine


def test_an_image_that_is_not_listed_is_missing(machine: Machine) -> None:
    apache = IMAGES["apache"]
    machine.has("docker", {LIST: listed(apache.tag("a"))})
    assert listing.missing([("apache", "a"), ("apache", "b")]) == [("apache", "b")]


def test_latest_is_what_this_checkout_makes_after_another_has_built(machine: Machine) -> None:
    contents = contents_of(["apache", "memcached", "python"])
    apache, memcached = IMAGES["apache"], IMAGES["memcached"]
    wanted = apache.tag(contents.images["apache"])
    up_to_date = memcached.tag(contents.images["memcached"])
    rows = {wanted: 1, apache.tag("latest"): 2, up_to_date: 3, memcached.tag("latest"): 3}
    machine.has("docker", {LIST: listed_by_id(rows)})
    listing.claim_latest(contents)
    assert machine.calls[1:] == [f"docker image tag {wanted} {apache.tag('latest')}"]


def test_an_image_is_made_the_latest_only_when_it_is_to_be(machine: Machine) -> None:
    machine.has("docker")
    listing.keep(IMAGES["placement"], "another", latest=False)
    assert not any(call.endswith(":latest") for call in machine.calls)
    listing.keep(IMAGES["placement"], "locked", latest=True)
    tagged = (
        "docker image tag placement-harness/placement:locked placement-harness/placement:latest"
    )
    assert tagged in machine.calls


def test_what_was_wanted_last_is_kept_however_old_its_layers_are(machine: Machine) -> None:
    never = "0001-01-01 00:00:00 +0000 UTC"
    times = [(f"2026-11-0{day}T10:00:00Z", never) for day in range(1, 9)]
    times[0] = ("2026-10-01T10:00:00Z", "2026-11-20 10:00:00 +0000 UTC")
    tags = [IMAGES["apache"].tag(f"content{day}") for day in range(1, 9)]
    machine.has("docker", {"image ls*": listed(*tags), "image inspect*": details(*times)})
    listing.keep(IMAGES["apache"], "built", latest=True)
    removed = [call.rpartition(":")[2] for call in machine.calls if " image rm " in call]
    assert removed == ["content6", "content5", "content4", "content3", "content2"]
