"""What a stack leaves on disk: who owns it, where it listens, and its secrets.

One directory a stack, below ``$PLACEMENT_HARNESS_STATE`` or the user's state directory:

    lock          held by the process that owns or uses the stack; the kernel lets go of it when
                  that process ends, however it ends
    busy          held by docker commands that change the stack: one may outlive a killed owner
    change        held while replicas are added, removed or restarted
    stack.json    a Record
    env           the secrets, as Compose reads them; readable by the owner alone
    clouds.yaml   for OpenStack clients; readable by the owner alone
"""

import base64
import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.errors import StackError, UsageError
from harness.plan import Lifetime
from harness.timing import Deadline

# Compose wants such project names; a container's name, with -placement-16, is a name in DNS too.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,46}")
# How long another process may hold a lock just to have a look (doctor, reap). Seconds.
LOOK_SECONDS = 2.0
# How long a docker command may outlive the run that was killed. Seconds.
SETTLE_SECONDS = 120.0


def state_root() -> pathlib.Path:
    chosen = os.environ.get("PLACEMENT_HARNESS_STATE")
    if chosen:
        return pathlib.Path(chosen).absolute()
    base = os.environ.get("XDG_STATE_HOME") or pathlib.Path.home() / ".local/state"
    return pathlib.Path(base) / "placement-harness"


def _random() -> str:
    return secrets.token_hex(16)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What must not be known outside one stack; new for each."""

    database_password: str = field(default_factory=_random)
    admin_password: str = field(default_factory=_random)
    placement_password: str = field(default_factory=_random)
    balancer_key: str = field(default_factory=_random)
    fernet_key: str = field(default_factory=_fernet_key)

    def environment(self) -> dict[str, str]:
        """As compose.yaml names them."""
        return {f"HARNESS_{k.upper()}": v for k, v in dataclasses.asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Record:
    """A stack as it was started. ``url`` is Apache's, e.g. http://127.0.0.1:8778."""

    name: str
    lifetime: Lifetime
    replicas: int
    port: int
    ready: bool = False
    # Replicas that are being restarted or removed on purpose: their death is no failure.
    leaving: tuple[int, ...] = ()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class FileLock:
    """A lock that the kernel lets go of when the process ends, however it ends."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> "FileLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def take(self) -> bool:
        """Take it; False when another process has it, or its directory is gone."""
        if self._descriptor is not None:
            return True
        while True:
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            except FileNotFoundError:
                return False
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                return False
            # Its last holder may have removed the file since it was opened.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(self._path)):
                    break
            os.close(descriptor)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> str:
        """The number of the process that took it last."""
        try:
            return self._path.read_text() or "unknown"
        except OSError:
            return "unknown"


class StackState:
    """The directory of one stack. Raises UsageError for a name that no stack can have."""

    def __init__(self, name: str, root: pathlib.Path | None = None) -> None:
        if not NAME.fullmatch(name):
            raise UsageError(
                f"A stack cannot be named {name!r}.",
                "Give up to 47 lower-case letters, digits, - and _, a letter or a digit first.",
            )
        self.name = name
        self.directory = (root or state_root()) / name
        self._lock = FileLock(self.directory / "lock")

    @property
    def env_file(self) -> pathlib.Path:
        return self.directory / "env"

    @property
    def clouds_file(self) -> pathlib.Path:
        return self.directory / "clouds.yaml"

    def create(self, record: Record, stack_secrets: Secrets) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        environment = {
            **stack_secrets.environment(),
            "HARNESS_STACK": self.name,
            "HARNESS_STATE": str(self.directory),
            "HARNESS_REPLICAS": str(record.replicas),
            "HARNESS_PORT": str(record.port),
        }
        lines = "".join(f"{name}={value}\n" for name, value in environment.items())
        _write_private(self.env_file, lines)
        _write_private(self.clouds_file, clouds_yaml(record, stack_secrets))
        self.save(record)

    def save(self, record: Record) -> None:
        _write_private(self.directory / "stack.json", json.dumps(dataclasses.asdict(record)))

    def record(self) -> Record | None:
        """The stack as it was last saved; None when there is none, or it cannot be read."""
        try:
            data: dict[str, Any] = json.loads((self.directory / "stack.json").read_text())
            data["leaving"] = tuple(data["leaving"])
            return Record(**data)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def secrets(self) -> Secrets:
        pairs = dict(line.split("=", 1) for line in self.env_file.read_text().splitlines())
        names = [field.name for field in dataclasses.fields(Secrets)]
        return Secrets(**{name: pairs[f"HARNESS_{name.upper()}"] for name in names})

    def remove(self) -> None:
        """Remove the directory, its lock last: until then nobody else can own the stack."""
        with contextlib.suppress(FileNotFoundError):
            for path in self.directory.iterdir():
                if path.name != "lock":
                    path.unlink(missing_ok=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def acquire(self, *, create: bool = True) -> bool:
        """Own the stack until this process ends or lets go. False: another process does.

        Without ``create``, a stack that has no directory is nobody's to own.
        """
        if create:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._lock.take()

    def release(self) -> None:
        self._lock.release()

    def lock(self) -> None:
        """Own the stack, or raise StackError that names who does."""
        for _ in Deadline.after(LOOK_SECONDS).every(0.05):
            if self.acquire():
                return
        raise StackError(
            f"The stack {self.name} is in use by process {self._lock.holder()}.",
            "Wait for it to end, or use --stack fresh: a fresh stack is nobody else's.",
        )

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Add, remove or restart replicas, which one process at a time may do."""
        with FileLock(self.directory / "change") as change:
            if not change.take():
                raise StackError(
                    f"Process {change.holder()} is changing the replicas of {self.name}.",
                    "Wait for it to end, and try again.",
                )
            yield

    def settle(self) -> None:
        """Wait for docker commands on this stack whose run was killed."""
        if not (self.directory / "busy").exists():
            return
        with FileLock(self.directory / "busy") as busy:
            for _ in Deadline.after(SETTLE_SECONDS).every(0.05):
                if busy.take():
                    return


def all_states() -> list[StackState]:
    try:
        paths = [path for path in sorted(state_root().iterdir()) if path.is_dir()]
    except OSError:
        return []
    return [StackState(path.name) for path in paths if NAME.fullmatch(path.name)]


def clouds_yaml(record: Record, stack_secrets: Secrets) -> str:
    """For OpenStack clients. osc-placement takes version 1 for the newest one that both know, and
    1.0 without it; openstacksdk refuses `latest` as a default microversion, and needs none."""
    return f"""\
clouds:
  {record.name}:
    auth:
      auth_url: {record.url}/identity
      username: admin
      password: {stack_secrets.admin_password}
      project_name: admin
      user_domain_id: default
      project_domain_id: default
    region_name: RegionOne
    placement_api_version: "1"
"""


def _write_private(path: pathlib.Path, text: str) -> None:
    """Write the whole file or nothing: a reader, or a kill, never meets half of one."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.replace(path)
