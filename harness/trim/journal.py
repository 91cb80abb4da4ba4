"""Verdicts, written down as they are found: a trim that was killed asks nothing twice."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError


class Journal:
    """Questions and their answers, as JSON lines.

    A line is written as a whole when its answer is there, so that a kill costs one answer. Half a
    line at the end is dropped. Raises UsageError for any other line that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._answers: dict[str, Any] = {}
        self._kinds: dict[str, str] = {}
        self.asked = 0
        self._read()

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def runs(self) -> int:
        """The number of answers that a run of suites or a proof gave, and not an import alone."""
        return sum(what != "import" for what in self._kinds.values())

    def known(self, what: str, about: Sequence[str]) -> Mapping[str, Any] | None:
        """The answer to a question, if it is written down."""
        answer: Mapping[str, Any] | None = self._answers.get(_key(what, about))
        return answer

    def note(
        self, what: str, about: Sequence[str], answer: Mapping[str, Any], seconds: float
    ) -> None:
        """Write an answer down."""
        key = _key(what, about)
        line = {"key": key, "what": what, "about": len(about), "seconds": round(seconds, 1)}
        with self._path.open("a") as file:
            file.write(json.dumps({**line, "answer": answer}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._answers[key], self._kinds[key] = answer, what
        self.asked += 1

    def ask(
        self, what: str, about: Sequence[str], find: Callable[[], Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        """The answer to a question, which is found only if it is not written down."""
        answer = self.known(what, about)
        if answer is None:
            began = time.monotonic()
            answer = find()
            self.note(what, about, answer, time.monotonic() - began)
        return answer

    def _read(self) -> None:
        if not self._path.exists():
            return
        text = self._path.read_bytes()
        whole, newline, half = text.rpartition(b"\n")
        if half:
            # The last trim was killed while it wrote.
            self._path.write_bytes(whole + newline)
        for number, line in enumerate(whole.decode(errors="replace").splitlines(), 1):
            try:
                entry = json.loads(line)
                self._answers[entry["key"]] = entry["answer"]
                self._kinds[entry["key"]] = entry["what"]
            except (ValueError, KeyError, TypeError) as error:
                raise UsageError(
                    f"{self._path}:{number} is no verdict.",
                    f"Remove the file to begin anew, or mend the line ({error}).",
                ) from error


def _key(what: str, about: Sequence[str]) -> str:
    words = "\n".join([what, *sorted(about)])
    return hashlib.sha256(words.encode()).hexdigest()[:16]
