"""Expected deaths of containers: which containers may die, and during which time.

Each expectation is a file in the stack's directory, so that every process of the stack's owner can
judge a death. Deaths are judged after they happened, so an expectation stays for a while after its
end. Its process holds a lock beside the file: the death of that process ends the expectation.
"""

import contextlib
import json
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from harness.core.files import write_private
from harness.core.locks import FileLock

FILES = "expected-"
# The engine reports a death a moment after `docker kill` has returned.
GRACE_SECONDS = 0.05
# Time after which every death has been judged.
KEPT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Expectation:
    """Services or containers that may die; moments are seconds since the epoch.

    ``end`` is None while the expectation lasts.
    """

    names: tuple[str, ...]
    begin: float
    end: float | None = None

    def covers(self, container: str, service: str, at: float) -> bool:
        """Whether the death of this container at this moment is expected."""
        if container not in self.names and service not in self.names:
            return False
        return self.begin <= at and (self.end is None or at <= self.end + GRACE_SECONDS)


class Expectations:
    """The expectations of all processes about the stack in this directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextlib.contextmanager
    def expect(self, names: Sequence[str]) -> Iterator[None]:
        """Expect these services or containers to die while the block runs."""
        self._forget()
        path = self._directory / f"{FILES}{uuid.uuid4().hex}.json"
        expectation = Expectation(tuple(names), time.time())
        with FileLock(_lock(path)) as lock:
            lock.take()
            _write(path, expectation)
            try:
                yield
            finally:
                # The stack may be gone, and its directory with it.
                with contextlib.suppress(FileNotFoundError):
                    _write(path, replace(expectation, end=time.time()))
                    _lock(path).unlink(missing_ok=True)

    def current(self) -> list[Expectation]:
        """The expectations that last, and those that ended less than KEPT_SECONDS ago."""
        return [expectation for _, expectation in self._read()]

    def covers(self, container: str, service: str, at: float) -> bool:
        """Whether any process expects this death. ``at`` is in seconds since the epoch."""
        return any(expectation.covers(container, service, at) for expectation in self.current())

    def _forget(self) -> None:
        """Remove expectations that ended so long ago that all their deaths have been judged."""
        now = time.time()
        for path, expectation in self._read():
            if expectation.end is not None and expectation.end + KEPT_SECONDS < now:
                path.unlink(missing_ok=True)

    def _read(self) -> Iterator[tuple[Path, Expectation]]:
        for path in sorted(self._directory.glob(f"{FILES}*.json")):
            with contextlib.suppress(FileNotFoundError):
                expectation = _parsed(path)
                yield path, expectation if expectation.end else _ended_with_its_process(path)


def _ended_with_its_process(path: Path) -> Expectation:
    """The expectation, unchanged while its process lives; otherwise it ends now."""
    with FileLock(_lock(path)) as lock:
        if not lock.take():
            return _parsed(path)
        # The process may have written the end since, and removed its lock.
        expectation = _parsed(path)
        if expectation.end is None:
            expectation = replace(expectation, end=time.time())
            _write(path, expectation)
        _lock(path).unlink(missing_ok=True)
        return expectation


def _lock(path: Path) -> Path:
    return path.with_suffix(".lock")


def _parsed(path: Path) -> Expectation:
    values = json.loads(path.read_text())
    return Expectation(tuple(values["names"]), values["begin"], values["end"])


def _write(path: Path, expectation: Expectation) -> None:
    write_private(path, json.dumps(asdict(expectation)))
