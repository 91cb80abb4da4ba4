"""Private files and directories: only their owner can read them; files are written atomically."""

import errno
import os
import pathlib
import shutil
import tempfile

from harness.core.errors import StackError, UsageError, file_error
from harness.core.locks import FileLock
from harness.core.paths import state_root

RUN = ".run-"


def private_directory(path: pathlib.Path) -> None:
    """Make a directory for the harness's own files. Raises StackError where that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: pathlib.Path, error: OSError) -> StackError:
    return StackError(
        f"The harness cannot make {path}, where it keeps its state: {error.strerror}.",
        "Make it writable, or name another directory in PLACEMENT_HARNESS_STATE.",
    )


def require_file(path: pathlib.Path, option: str) -> None:
    """Raise UsageError if a file that an option names could not be written, before any work.

    The file itself, if it is there, stays as it is. Its directory is made, as pytest makes that of
    ``--junit-xml``.
    """
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists():
            path.open("ab").close()
        else:
            with tempfile.NamedTemporaryFile(dir=path.absolute().parent, prefix=".probe-"):
                pass
    except OSError as error:
        raise UsageError(
            f"{option} {path} cannot be written: {error.strerror}.",
            "Name a file in a directory that you may write to.",
        ) from error


def require_directory(path: pathlib.Path, option: str) -> None:
    """Make the directory that an option names; raise UsageError if nothing can be written to it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path, prefix=".probe-"):
            pass
    except OSError as error:
        raise UsageError(
            f"{option} {path} cannot be written: {error.strerror}.",
            "Name a directory that you may write to.",
        ) from error


class Scratch:
    """A temporary directory of one run; only its owner can read it.

    When the run is killed, the next run that needs such a directory removes it, or reap does.
    """

    def __init__(self) -> None:
        root = state_root()
        clear_scratch()
        private_directory(root)
        while True:
            try:
                self.path = pathlib.Path(tempfile.mkdtemp(prefix=RUN, dir=root))
            except OSError as error:
                raise _unwritable(root / RUN, error) from error
            self._lock = FileLock(self.path / "lock")
            # Another process may have removed the directory before the lock was taken.
            try:
                if self._lock.take():
                    break
            except StackError:
                shutil.rmtree(self.path, ignore_errors=True)
                raise

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()


def listing(directory: pathlib.Path) -> list[pathlib.Path]:
    """The paths in a directory, sorted; empty if there is no such directory.

    Raises StackError if the directory cannot be read.
    """
    try:
        return sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StackError(
            f"{directory} cannot be read, so which stacks there are is not known: "
            f"{error.strerror}.",
            "Make it readable, or name another directory in PLACEMENT_HARNESS_STATE.",
        ) from error


def clear_scratch() -> list[str]:
    """Remove the temporary directories of killed runs, and return their names.

    Raises StackError.
    """
    removed = []
    for path in listing(state_root()):
        if not path.name.startswith(RUN):
            continue
        with FileLock(path / "lock") as lock:
            if lock.take():
                shutil.rmtree(path, ignore_errors=True)
                removed.append(path.name)
    return removed


def write_private(path: pathlib.Path, text: str) -> None:
    """Write the whole file or nothing: neither a reader nor a kill ever leaves half a file.

    Raises StackError if the file cannot be written.
    """
    partial = path.with_suffix(".partial")
    try:
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        partial.replace(path)
    except OSError as error:
        # The error of a write does not name the file.
        error.filename = error.filename or str(path)
        raise file_error(error) or error from error
