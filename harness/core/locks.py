"""Locks that end with the process that holds them."""

import contextlib
import errno
import fcntl
import os
import pathlib

from harness.core.deadline import Deadline
from harness.core.errors import StackError, file_error

# Errors of flock when another process holds the lock. Other errors mean that there are no locks.
HELD = frozenset({errno.EWOULDBLOCK, errno.EACCES})
# Written after the process id: other programs may have files with the same names.
MARK = "placement-harness"


class FileLock:
    """A lock that the kernel releases when the process ends, however it ends."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> "FileLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def wait(self, deadline: Deadline, interval: float) -> bool:
        """Take the lock as soon as it is free; False if it was not free by the deadline."""
        return any(self.take() for _ in deadline.every(interval))

    def take(self) -> bool:
        """Take the lock; False if another process holds it, or its directory is gone.

        Raises StackError if the file cannot be opened, or the file system has no locks: without a
        lock, the harness cannot tell whether another run uses the directory or stack.
        """
        if self._descriptor is not None:
            return True
        while True:
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            except FileNotFoundError:
                return False
            except OSError as error:
                raise file_error(error) or error from error
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                if error.errno in HELD:
                    return False
                raise _no_locks(self._path, error) from error
            # The last holder may have removed the file since it was opened here.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(self._path)):
                    break
            os.close(descriptor)
        # Write first, then truncate: a reader always finds the holder's process id.
        try:
            os.ftruncate(descriptor, os.pwrite(descriptor, f"{os.getpid()} {MARK}".encode(), 0))
        except OSError as error:
            os.close(descriptor)
            error.filename = str(self._path)
            raise file_error(error) or error from error
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> str:
        """Id of the process that took the lock last."""
        return next(iter(self._text().split()), "unknown")

    def is_ours(self) -> bool:
        """Whether the file is a lock of the harness's, held or not."""
        return self._text().endswith(f" {MARK}")

    def _text(self) -> str:
        try:
            return self._path.read_text()
        except (OSError, UnicodeDecodeError):
            return ""


def _no_locks(path: pathlib.Path, error: OSError) -> StackError:
    return StackError(
        f"The file system of {path} does not lock files: {error.strerror}. Without locks, two runs "
        "would remove each other's stacks.",
        "Name a directory on a local disk in PLACEMENT_HARNESS_STATE. (NFS and Lustre can be "
        "mounted with locks: options lock, flock.)",
    )
