"""The base image, which all others are built upon, and how to get it."""

import os
import shutil
import tempfile
from contextlib import AbstractContextManager

from harness.core.deadline import GLANCE, Deadline, news
from harness.core.disk import stop_if_full
from harness.core.errors import BuildError
from harness.core.files import private_directory
from harness.core.locks import FileLock
from harness.core.measurements import Progress
from harness.core.paths import state_root
from harness.core.process import Outcome, run
from harness.engine.docker import Engine, current
from harness.engine.install import DOWNLOAD

# Debian's release that images are made of, but for those that need another one.
DEBIAN = "trixie"
LABEL = "placement-harness.image=base"
# Seconds. The first line of a pull is there as soon as the registry has answered; what follows
# may be slow without being broken.
FIRST_LINE = 20.0
# Debian's own images have the same settings: dpkg does not sync each file to the disk, and unpacks
# neither documentation nor translations. Images that are built upon this one inherit them.
OPTIONS = (
    "--variant=minbase",
    "--dpkgopt=force-unsafe-io",
    *(f"--dpkgopt=path-exclude=/usr/share/{path}/*" for path in ("doc", "man", "info", "locale")),
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=APT::Install-Recommends "false"',
)


def base_image(debian: str = DEBIAN) -> str:
    return f"placement-harness/base:{debian}"


def has_base(debian: str = DEBIAN) -> bool:
    """Whether the base image is there."""
    return bool(current().image_details(base_image(debian)))


def ensure_base(progress: Progress, debian: str = DEBIAN) -> None:
    """Make sure that the base image of this Debian release exists.

    The image is pulled if a registry answers, and otherwise built from Debian's packages. Raises
    BuildError.
    """
    if has_base(debian):
        return
    private_directory(state_root())
    with FileLock(state_root() / f"base-{debian}.lock") as lock:
        # `make` begins to fetch the image before `placement-harness setup` is installed. The wait
        # has a limit, since a process that never ends would hold up all others.
        if not lock.take():
            progress(f"waiting for process {lock.holder()}, which fetches the base image")
            lock.wait(Deadline.after(DOWNLOAD), GLANCE)
        if not has_base(debian):
            _fetch_base(progress, debian)


def _fetch_base(progress: Progress, debian: str) -> None:
    tag, ordinary = base_image(debian), f"debian:{debian}-slim"
    progress(f"no image {tag}: pulling {ordinary}")
    with _news(progress, "pulling"):
        pulled = _pull(current(), ordinary, tag)
    if pulled.ok:
        return
    stop_if_full("the base image could not be pulled", pulled)
    progress(f"no pull ({pulled.reason}): building it from Debian's packages, in about 20 s")
    problem = f"There is no base image. Pulling {ordinary} failed: {pulled.reason}."
    elsewhere = _ELSEWHERE.format(tag)
    _install_mmdebstrap(progress, problem, elsewhere)
    with tempfile.TemporaryFile() as tar:
        with _news(progress, "mmdebstrap works"):
            built = run("mmdebstrap", *OPTIONS, debian, seconds=DOWNLOAD, out=tar)
        stop_if_full("the base image could not be built", built)
        if not built.ok:
            raise BuildError(
                f"{problem} Building it with mmdebstrap failed, too: {built.reason}.",
                elsewhere,
                evidence=built.evidence,
            )
        tar.seek(0)
        progress(f"importing it as {tag}")
        changes = (f"LABEL {LABEL}", 'CMD ["bash"]')
        imported = current().command.import_image(tar, tag, changes, DOWNLOAD)
    stop_if_full("the base image could not be imported", imported)
    if not imported.ok:
        raise BuildError(
            f"The base image was built, but docker did not import it: {imported.reason}.",
            "See the engine's log (journalctl -u docker).",
            evidence=imported.evidence,
        )


_ELSEWHERE = (
    "Let this machine reach an image registry or a mirror of Debian; or bring the image from a "
    "machine that has it: docker save {} there, docker load here."
)


def _pull(engine: Engine, ordinary: str, tag: str) -> Outcome:
    pulled = engine.command.pull(ordinary, DOWNLOAD, FIRST_LINE)
    if not pulled.ok:
        return pulled
    # A tag alone would leave the image without the label by which the harness removes its images.
    dockerfile = f"FROM {ordinary}\nLABEL {LABEL}\n"
    return engine.command.build(tag, dockerfile.encode(), DOWNLOAD)


def _install_mmdebstrap(progress: Progress, problem: str, elsewhere: str) -> None:
    if shutil.which("mmdebstrap"):
        return
    missing = f"{problem} mmdebstrap, which builds it, is not installed,"
    if shutil.which("apt-get") is None:
        raise BuildError(f"{missing} and there is no apt-get to install it with.", elsewhere)
    if os.geteuid() != 0:
        raise BuildError(
            f"{missing} and only root can install it.",
            f"Run once: sudo apt-get install mmdebstrap. Or: {elsewhere}",
        )
    progress("installing mmdebstrap with apt-get")
    # The package lists of a fresh machine may be empty or old. A failed update alone is no error:
    # only the result of the installation counts.
    with _news(progress, "apt-get works"):
        updated = run("apt-get", "--quiet", "update", seconds=DOWNLOAD)
        installed = run(
            *("apt-get", "--quiet", "--yes", "--no-install-recommends", "install"),
            *("mmdebstrap", "debian-archive-keyring"),
            seconds=DOWNLOAD,
        )
    stop_if_full("mmdebstrap could not be installed", installed)
    if not installed.ok:
        raise BuildError(
            f"{missing} and apt-get could not install it: {installed.reason}.",
            elsewhere,
            evidence=(() if updated.ok else updated.evidence) + installed.evidence,
        )


def _news(progress: Progress, what: str) -> AbstractContextManager[None]:
    return news(progress, lambda seconds: f"{what} ({seconds:.0f} s)")
