"""The workloads that faults strike: which of them had a write under way, and under which fault."""

from collections.abc import Sequence

from harness.consistency.history import Strike, Writer


class Audience:
    """The histories of the workloads that run side by side."""

    def __init__(self, writers: Sequence[Writer]) -> None:
        self._writers = writers
        self._ended = [0] * len(writers)
        # Numbers of the workloads that wrote under the present fault; and all that did, by fault.
        self._struck: set[int] = set()
        self._met: dict[str, set[int]] = {}

    def _waiting(self, fault: str) -> set[int]:
        return {*range(len(self._writers))} - self._met.get(fault, set())

    def lacks(self, fault: str) -> bool:
        """Whether a workload had no write under way whenever this fault struck."""
        return bool(self._waiting(fault))

    def is_ready(self, fault: str) -> bool:
        """Whether all workloads that still lack this fault have a write under way.

        Where none lacks it, one workload with a write is enough.
        """
        waiting = self._waiting(fault)
        if not waiting:
            return any(writer.writing for writer in self._writers)
        return all(self._writers[number].writing for number in waiting)

    def begin(self) -> None:
        """Note that a fault is about to strike."""
        self._ended = [writer.written - writer.writing for writer in self._writers]

    def end(self) -> None:
        """Note that a fault is about to be healed."""
        written = (writer.written for writer in self._writers)
        self._struck = {
            number
            for number, (now, ended) in enumerate(zip(written, self._ended, strict=True))
            if now > ended
        }

    def note(self, strike: Strike, *, met: bool) -> None:
        """Write a fault that is healed into all histories; ``met``: it kept something back."""
        if met:
            self._met.setdefault(strike.fault, set()).update(self._struck)
        for writer in self._writers:
            writer.strike(strike, met=met)
