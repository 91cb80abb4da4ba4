"""The exchanges of a run in a file: JSON Lines, compressed when its name ends in .gz or .zst.

The first line is the header: format, when, which target and versions, and a digest of each suite.
Then one exchange a line, in the order in which they were made. The last line has the number of
exchanges and a digest of all lines before it, so that a file that was cut or edited is noticed.
Tokens and passwords are hidden.
"""

import dataclasses
import functools
import gzip
import hashlib
import io
import json
import os
import sys
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import yaml

from harness.core import redact
from harness.core.errors import UsageError
from harness.core.exchange import Exchange
from harness.core.exchange_log import as_data, from_data, in_json
from harness.core.words import counted
from harness.suites import releases

FORMAT = "placement-harness/recording/"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Header:
    """What was run. ``suites`` has a SHA-256 of each suite's file by its name; ``settings`` the
    lines of the run's header, versions included; ``recorded`` is a time in ISO 8601, UTC."""

    target: str
    recorded: str
    placement: str = ""
    microversions: tuple[str, str] = ("", "")
    suites: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    harness: str = ""


class Writer:
    """Writes a recording, line by line. ``hidden`` are values that must not appear in any text."""

    def __init__(self, file: IO[bytes], header: Header, hidden: Iterable[str] = ()) -> None:
        self._file = file
        self._hidden = in_json(hidden)
        self._digest = hashlib.sha256()
        self._count = 0
        self._line({"format": f"{FORMAT}{VERSION}", **dataclasses.asdict(header)})

    def write(self, exchange: Exchange) -> None:
        self._line(as_data(exchange))
        self._count += 1

    def close(self) -> None:
        """Write the closing line."""
        end = {"exchanges": self._count, "sha256": self._digest.hexdigest()}
        self._file.write(json.dumps({"end": end}).encode() + b"\n")

    def _line(self, data: Mapping[str, Any]) -> None:
        text = redact.text(json.dumps(data, ensure_ascii=False), self._hidden)
        line = text.encode() + b"\n"
        self._digest.update(line)
        self._file.write(line)


@contextmanager
def writing(path: Path, header: Header, hidden: Iterable[str] = ()) -> Iterator[Writer]:
    """A recording that is there as a whole when the block ends, and not at all when it fails."""
    refuse_existing(path)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with _compressed(path, partial.open("wb")) as file:
            writer = Writer(file, header, hidden)
            yield writer
            writer.close()
        os.link(partial, path)
    except FileExistsError:
        refuse_existing(path)
        raise
    finally:
        partial.unlink(missing_ok=True)


def suite_digest(path: Path) -> str:
    """SHA-256 of what a suite says, whatever its comments and its layout are.

    The releases for which it is true are left out: they change nothing in its tests.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(path.read_bytes(), loader)  # noqa: S506 (it is a safe loader)
    if isinstance(data, dict):
        data.pop(releases.KEY, None)
    text = json.dumps(data, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def refuse_existing(path: Path, option: str = "--record") -> None:
    """Raise UsageError for a file that is there: what was recorded is kept, never written over."""
    if path.exists():
        raise UsageError(
            f"{path} exists already, and is never written over.",
            f"Give {option} another name, or remove the file first.",
        )


class Recording:
    """A recording that was read whole and found whole. ``exchanges`` are in the order of the run.

    Its lines stay in a file: a long run has more of them than fit into memory comfortably.
    Raises UsageError for a file that is none, was cut or edited, or has a newer format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # The first byte of each line, and the end of the last one.
        self._begins = array("Q", [0])
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (it is kept open)
        digest, last = hashlib.sha256(), b""
        for line in _lines(path):
            if last:
                digest.update(last)
            self._file.write(line)
            self._begins.append(self._begins[-1] + len(line))
            last = line
        if not last:
            raise _unusable(path, "is empty.")
        self.header = _header(path, self._line(0))
        self._check(last, digest.hexdigest())

    def __len__(self) -> int:
        return len(self._begins) - 3

    def exchanges(self) -> Iterator[Exchange]:
        for number in range(1, len(self) + 1):
            yield from_data(json.loads(self._line(number)))

    @functools.cached_property
    def tests(self) -> Mapping[tuple[str, str], "array[int]"]:
        """The tests in the order of the run, each with the numbers of its lines."""
        tests: dict[tuple[str, str], array[int]] = {}
        for number in range(1, len(self) + 1):
            data = json.loads(self._line(number))
            test = sys.intern(data["suite"]), data["test"]
            tests.setdefault(test, array("I")).append(number)
        return tests

    def of(self, test: tuple[str, str]) -> list[Exchange]:
        """The exchanges of a test; none of a test that is not there."""
        lines = self.tests.get(test, ())
        return [from_data(json.loads(self._line(number))) for number in lines]

    def _line(self, number: int) -> bytes:
        self._file.seek(self._begins[number])
        return self._file.read(self._begins[number + 1] - self._begins[number])

    def _check(self, last: bytes, digest: str) -> None:
        try:
            end = json.loads(last)["end"]
            count, written = int(end["exchanges"]), str(end["sha256"])
        except (ValueError, KeyError, TypeError):
            raise _unusable(self.path, "was cut: it has no closing line.") from None
        if count != len(self):
            raise _unusable(
                self.path, f"was edited: it has {counted(len(self), 'exchange')}, and had {count}."
            )
        if digest != written:
            raise _unusable(self.path, "was edited: its digest is another one.")


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with _decompressed(path) as file:
            yield from file
    except FileNotFoundError:
        raise UsageError(
            f"There is no recording {path}.", "Make one: pytest --record FILE ..."
        ) from None
    except (OSError, EOFError) as error:
        raise _unusable(path, f"cannot be read: {error}.") from error


def _header(path: Path, line: bytes) -> Header:
    try:
        data: dict[str, Any] = json.loads(line)
        kind = str(data.pop("format"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _unusable(path, "is no recording.") from None
    name, _, version = kind.rpartition("/")
    if f"{name}/" != FORMAT or not version.isdecimal():
        raise _unusable(path, "is no recording.")
    if int(version) > VERSION:
        raise UsageError(
            f"{path} has format {version}; this version of the harness reads up to {VERSION}.",
            "Read it with a newer version of the harness.",
        )
    known = {each.name for each in dataclasses.fields(Header)}
    values = {key: value for key, value in data.items() if key in known}
    values["microversions"] = tuple(values.get("microversions", ("", "")))
    return Header(**values)


def _unusable(path: Path, problem: str) -> UsageError:
    return UsageError(f"{path} {problem}", "Record it again: pytest --record FILE ...")


@contextmanager
def _compressed(path: Path, raw: IO[bytes]) -> Iterator[IO[bytes]]:
    with raw:
        if path.suffix == ".gz":
            # Without a time in it, the same exchanges make the same file.
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as file:
                yield file  # type: ignore[misc]
        elif path.suffix == ".zst":
            with _zstandard(path).ZstdCompressor().stream_writer(raw) as file:
                yield file
        else:
            yield raw


@contextmanager
def _decompressed(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as raw:
        if path.suffix == ".gz":
            with gzip.GzipFile(fileobj=raw) as file:
                yield file  # type: ignore[misc]
        elif path.suffix == ".zst":
            reader = _zstandard(path).ZstdDecompressor().stream_reader(raw)
            yield io.BufferedReader(reader)
        else:
            yield raw


def _zstandard(path: Path) -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise UsageError(
            f"{path} needs the library zstandard, but {error}.",
            "Install it: pip install 'placement-harness[zstd]'. Or use a name that ends in .gz.",
        ) from error
    return zstandard
