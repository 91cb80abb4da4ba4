"""Brings images that were built here to the other hosts of a stack."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from harness.core.disk import says_disk_full
from harness.core.errors import BuildError, StackError
from harness.core.measurements import Progress
from harness.engine import transfer
from harness.engine.docker import current
from harness.engine.values import DockerError
from harness.stack.images.catalogue import IMAGES
from harness.stack.images.contents import Contents
from harness.stack.model.hosts import Host
from harness.stack.model.lanes import SERVICE

# Images that no container of a stack is made from.
PARENTS = frozenset(
    {parent for image in IMAGES.values() for parent in image.upon} - {SERVICE, "keystone"}
)


def deliver(contents: Contents, hosts: Sequence[Host], progress: Progress) -> None:
    """Copy the images that a host lacks from the engine that has built them, to all hosts at once.

    The first host gets all images of a stack, the others those of replicas. The tag of an image is
    a digest of its content, so a tag that is there needs no copy. Raises BuildError, StackError.
    """
    wanted = [(name, IMAGES[name].tag(content)) for name, content in contents.builds]
    of_all = [tag for name, tag in wanted if name not in PARENTS]
    first, *others = hosts
    _copy_to_each({first: of_all, **dict.fromkeys(others, _of_replicas(contents))}, progress)


def deliver_replicas(contents: Contents, hosts: Sequence[Host], progress: Progress) -> None:
    """Copy the images of replicas alone. Raises BuildError, StackError."""
    _copy_to_each(dict.fromkeys(hosts, _of_replicas(contents)), progress)


def _of_replicas(contents: Contents) -> list[str]:
    return [IMAGES[name].tag(content) for name, content in contents.builds if name == SERVICE]


def _copy_to_each(tags: Mapping[Host, Sequence[str]], progress: Progress) -> None:
    elsewhere = {host: wanted for host, wanted in tags.items() if host.engine is not current()}
    with ThreadPoolExecutor(len(tags)) as pool:
        copies = [pool.submit(_copy, host, its, progress) for host, its in elsewhere.items()]
        for done in copies:
            done.result()


def _copy(host: Host, wanted: Iterable[str], progress: Progress) -> None:
    present = {image.tag for image in host.engine.images({}, reference="placement-harness/*")}
    missing = [tag for tag in dict.fromkeys(wanted) if tag not in present]
    if not missing:
        return
    names = ", ".join(tag.partition("/")[2].partition(":")[0] for tag in missing)
    progress(f"copying images to {host.title}: {names}")
    try:
        transfer.copy(current(), host.engine, missing)
    except DockerError as error:
        if says_disk_full(error.output):
            raise BuildError(
                f"The disk of {host.title} is full: images could not be copied there.",
                f"Make room there, and run again. Missing there: {names}.",
                evidence=error.evidence,
            ) from None
        raise StackError(
            f"Images could not be copied to {host.title}: {error.reason}.",
            "See whether its engine works, and run again: what is there is not copied again.",
            evidence=error.evidence,
        ) from None
