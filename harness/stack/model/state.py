"""Files and locks of a stack: its owner, its address, its secrets.

Each stack has a directory below ``$PLACEMENT_HARNESS_STATE`` or the user's state directory:

    lock          held by the process that owns or uses the stack; the kernel releases it when that
                  process ends, however it ends. Its text marks the directory as a stack's
    busy          held by docker commands that change the stack: one may outlive a killed owner
    change        held while replicas are added, removed or restarted
    stack.json    a Record
    hosts.json    the engines that it is on; none for docker's current one (model/hosts.py)
    env           the secrets, as Compose reads them; readable by the owner alone
    clouds.yaml   for OpenStack clients; readable by the owner alone
    compose.json  the stack as Compose starts it, secrets included; readable by the owner alone
    policy-LANE/  mounted as /etc/placement into the replicas of a lane
    expected-*    containers that may die, and the time span (model/expectations.py)
    tempest-*/    tempest's files while it runs; readable by the owner alone
    users.json    users of keystone and their tokens; readable by the owner alone

The directories ``.run-*`` beside them are temporary directories of runs (core/files.py).
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
from collections.abc import Iterator, Mapping

from harness.config.plan import FRESH_NAME, NAME, stack_name
from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.core.files import listing, private_directory, write_private
from harness.core.locks import FileLock
from harness.core.measurements import Progress
from harness.core.paths import state_root
from harness.engine.docker import Engine
from harness.stack.model import hosts
from harness.stack.model.expectations import Expectations
from harness.stack.model.hosts import Host
from harness.stack.model.record import Record, Secrets, clouds_yaml, record_of
from harness.stack.model.unreadable import UnreadableError

# Labels that compose.yaml gives to all containers, networks and volumes of a stack.
STACK_LABEL = "placement-harness.stack"
STATE_LABEL = "placement-harness.state"
# Time for which doctor or reap may hold a lock to inspect a stack. Seconds.
LOOK_SECONDS = 2.0
# Time for which a docker command may outlive its killed run. Seconds.
SETTLE_SECONDS = 120.0


class StackState:
    """The directory of one stack. Raises UsageError for an invalid name."""

    def __init__(self, name: str, root: pathlib.Path | None = None) -> None:
        self.name = stack_name(name)
        self.directory = (root or state_root()).resolve() / name
        self._lock = FileLock(self.directory / "lock")

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of the stack's objects; another state directory may have one of this name."""
        return {STACK_LABEL: self.name, STATE_LABEL: str(self.directory)}

    def is_at(self, directory: str) -> bool:
        """Whether a state directory, as a label has it, is this stack's: "" is no stack's.

        A home directory may have been moved since, and be a symbolic link now.
        """
        here = str(self.directory)
        return directory == here or (bool(directory) and os.path.realpath(directory) == here)

    @property
    def hosts(self) -> tuple[Host, ...]:
        """The hosts of the stack: replicas take turns on them. Raises UnreadableError."""
        return hosts.read(self.name, self.directory)

    @property
    def engine(self) -> Engine:
        """The engine of the services that all replicas share."""
        return self.hosts[0].engine

    @property
    def engines(self) -> tuple[Engine, ...]:
        """All engines of the stack, each once."""
        return tuple(host.engine for host in self.hosts)

    @property
    def env_file(self) -> pathlib.Path:
        return self.directory / "env"

    @property
    def compose_file(self) -> pathlib.Path:
        """The whole stack as Compose starts it."""
        return self.directory / "compose.json"

    def policy_file(self, lane: str) -> pathlib.Path:
        """placement's policy in this lane; replicas see this file's directory and no other."""
        return self.directory / f"policy-{lane}" / "policy.yaml"

    @property
    def expectations(self) -> Expectations:
        """The deaths of containers that are expected."""
        return Expectations(self.directory)

    @property
    def clouds_file(self) -> pathlib.Path:
        return self.directory / "clouds.yaml"

    def create(
        self, record: Record, stack_secrets: Secrets, variables: Mapping[str, str] | None = None
    ) -> None:
        """Write a stack's files; ``variables`` are further variables of compose.yaml."""
        private_directory(self.directory)
        environment = {
            **stack_secrets.environment(),
            **(variables or {}),
            "HARNESS_STACK": self.name,
            "HARNESS_STATE": str(self.directory),
            "HARNESS_REPLICAS": str(record.replicas),
            "HARNESS_PORT": str(record.port),
            "HARNESS_ADDRESS": record.address,
        }
        write_private(self.env_file, "".join(f"{k}={v}\n" for k, v in environment.items()))
        write_private(self.clouds_file, clouds_yaml(record, stack_secrets))
        self.save(record)

    def save(self, record: Record) -> None:
        write_private(self.directory / "stack.json", json.dumps(dataclasses.asdict(record)))

    def record(self) -> Record | None:
        """The stack as it was last saved; None if there is none.

        Raises UnreadableError for a file that is there, or was lost: the stack may be one that
        was kept.
        """
        path = self.directory / "stack.json"
        try:
            record = record_of(json.loads(path.read_text()))
        except (FileNotFoundError, NotADirectoryError) as error:
            # A stack is described after its record was written, and a removal begins with the
            # description (``remove``).
            if self.compose_file.is_file():
                raise UnreadableError(self.name, path, error) from error
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnreadableError(self.name, path, error) from error
        hosts.require(self.name, self.directory, record.hosts)
        return record

    def secrets(self) -> Secrets:
        """The stack's secrets. Raises UnreadableError."""
        try:
            pairs = dict(line.split("=", 1) for line in self.env_file.read_text().splitlines())
            names = [field.name for field in dataclasses.fields(Secrets)]
            return Secrets(**{name: pairs[f"HARNESS_{name.upper()}"] for name in names})
        except (OSError, ValueError, KeyError) as error:
            raise UnreadableError(self.name, self.env_file, error) from error

    def remove(self) -> None:
        """Remove the directory, its lock last: until then no other process can own the stack.

        The description goes first: where it is left, a lost record is an error.
        """
        self.compose_file.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            for path in self.directory.iterdir():
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                elif path.name != "lock":
                    path.unlink(missing_ok=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def is_gone(self) -> bool:
        """Whether there is no directory. Raises StackError where that cannot be seen."""
        try:
            self.directory.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError as error:
            raise UnreadableError(self.name, self.directory, error) from error
        return False

    def is_ours(self) -> bool:
        """Whether the harness has made this directory; other programs may have made it."""
        try:
            secrets_ = self.env_file.read_text() if self.env_file.is_file() else ""
            # The run of a fresh stack may have been killed before it wrote into the lock.
            bare = FRESH_NAME.fullmatch(self.name) is not None and self._is_bare()
        except (FileNotFoundError, NotADirectoryError, PermissionError, UnicodeDecodeError):
            # The directory may belong to another user, and cannot be read then.
            return False
        except OSError as error:
            raise UnreadableError(self.name, self.env_file, error) from error
        return self._lock.is_ours() or f"HARNESS_STACK={self.name}\n" in secrets_ or bare

    def is_empty(self) -> bool:
        """Whether the directory is there, and holds nothing of a stack but a lock.

        False where that cannot be seen.
        """
        try:
            return [path.name for path in self.directory.iterdir()] in ([], ["lock"])
        except OSError:
            return False

    def _is_bare(self) -> bool:
        """Whether this directory is empty, or has nothing but an empty lock file."""
        lock = self.directory / "lock"
        return all(path == lock and not path.stat().st_size for path in self.directory.iterdir())

    def acquire(self, *, create: bool = True) -> bool:
        """Own the stack until ``release`` or the end of this process.

        False if another process owns the stack, or, without ``create``, if it has no directory.
        Raises StackError where a directory that the harness has not made is in the way.
        """
        if create:
            private_directory(self.directory)
            if not self._may_be_ours():
                raise StackError(
                    f"{self.directory} exists already, and is not a stack's directory.",
                    "Give the stack another name (PLACEMENT_HARNESS_NAME, --name), or keep "
                    "stacks elsewhere: PLACEMENT_HARNESS_STATE names an empty directory.",
                )
        return self._lock.take()

    def _may_be_ours(self) -> bool:
        """Whether a stack of this name may use its directory. Raises UnreadableError."""
        try:
            return self.is_ours() or self._is_bare()
        except FileNotFoundError:
            # The directory was removed meanwhile.
            return True
        except OSError as error:
            raise UnreadableError(self.name, self.directory, error) from error

    def release(self) -> None:
        self._lock.release()

    def lock(self) -> None:
        """Own the stack. Raises StackError that names the process which owns it already."""
        for _ in Deadline.after(LOOK_SECONDS).every(0.05):
            if self.acquire():
                return
        raise StackError(
            f"The stack {self.name} is in use by process {self._lock.holder()}.",
            "Wait for it to end, or use --stack fresh, which starts a stack of its own.",
        )

    @contextlib.contextmanager
    def taking(
        self, what: str, seconds: float = SETTLE_SECONDS, waits: Progress | None = None
    ) -> Iterator[None]:
        """Lock one part of the stack, e.g. ``change``, after the process that has it now.

        ``waits`` gets a line with that process's id. Raises StackError if the lock is not free
        after ``seconds``.
        """
        with FileLock(self.directory / what) as lock:
            if waits is not None and not lock.take():
                waits(f"waiting for process {lock.holder()}, which changes {self.name}")
            if not lock.wait(Deadline.after(seconds), 0.02):
                raise StackError(
                    f"Process {lock.holder()} holds the lock {what} of {self.name} for longer than "
                    f"{seconds:.0f} s.",
                    "See what it does, end it, and run again.",
                )
            yield

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Lock the replicas: only one process at a time may add, remove or restart them."""
        with FileLock(self.directory / "change") as change:
            if not change.take():
                raise StackError(
                    f"Process {change.holder()} is changing the replicas of {self.name}.",
                    "Wait for it to end, and try again.",
                )
            yield

    def settle(self) -> None:
        """Wait for docker commands on this stack that have outlived a killed run."""
        if (self.directory / "busy").exists():
            with FileLock(self.directory / "busy") as busy:
                busy.wait(Deadline.after(SETTLE_SECONDS), 0.05)


def all_states() -> list[StackState]:
    """The stacks in the state directory. Other directories may lie beside theirs.

    Raises StackError if the state directory cannot be read.
    """
    paths = [path for path in listing(state_root()) if path.is_dir()]
    states = [StackState(path.name) for path in paths if NAME.fullmatch(path.name)]
    return [state for state in states if state.is_ours()]
