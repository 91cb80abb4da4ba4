"""What a stack leaves on disk: who owns it, where it listens, and its secrets.

One directory a stack, below ``$PLACEMENT_HARNESS_STATE`` or the user's state directory:

    lock          held by the process that owns or uses the stack; the kernel lets go of it when
                  that process ends, however it ends
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
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.errors import StackError
from harness.plan import Lifetime


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


class StackState:
    """The directory of one stack."""

    def __init__(self, name: str, root: pathlib.Path | None = None) -> None:
        self.name = name
        self.directory = (root or state_root()) / name
        self._lock: int | None = None

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
        shutil.rmtree(self.directory, ignore_errors=True)

    def acquire(self) -> bool:
        """Own the stack until this process ends or lets go. False: another process does."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return False
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        self._lock = lock
        return True

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Own the stack for a block, or raise StackError that names who does."""
        if not self.acquire():
            raise StackError(
                f"The stack {self.name} is in use by process {self.owner()}.",
                "Wait for it to end, or use --stack fresh: a fresh stack is nobody else's.",
            )
        try:
            yield
        finally:
            self.release()

    def owner(self) -> str:
        try:
            return (self.directory / "lock").read_text() or "unknown"
        except OSError:
            return "unknown"


def all_states() -> list[StackState]:
    try:
        return [StackState(path.name) for path in sorted(state_root().iterdir()) if path.is_dir()]
    except OSError:
        return []


def clouds_yaml(record: Record, stack_secrets: Secrets) -> str:
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
    placement_default_microversion: latest
"""


def _write_private(path: pathlib.Path, text: str) -> None:
    """Write the whole file or nothing: a reader, or a kill, never meets half of one."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.replace(path)
