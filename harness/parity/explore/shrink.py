"""Makes the sequence of a finding shorter and plainer, as long as it shows the same difference.

Hypothesis could shrink what it has made, number by number. Calls that are left out and parameters
that are dropped get to the same end with a tenth of the requests.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from harness.parity.explore.calls import Call, renamed
from harness.parity.explore.finding import Finding
from harness.parity.explore.hostile import copied, places_of


class Shrinker:
    """Shrinks ``best``. ``shows`` gives the finding of other calls, if they show the same cause.

    No sequence is tried twice, and none after ``end``, a moment of the monotonic clock.
    """

    def __init__(
        self, finding: Finding, shows: Callable[[Sequence[Call]], Finding | None], end: float
    ) -> None:
        self.best = finding
        self._shows = shows
        self._end = end
        self._tried = {repr([*finding.calls])}

    def run(self) -> Finding:
        before: Sequence[Call] = ()
        while before != self.best.calls:
            before = self.best.calls
            self._leave_out_calls()
            self._simplify_calls()
            self._rename()
        return self.best

    def _is_shown_by(self, calls: Sequence[Call]) -> bool:
        written = repr([*calls])
        if written in self._tried or time.monotonic() > self._end:
            return False
        self._tried.add(written)
        finding = self._shows(calls)
        if finding is None:
            return False
        self.best = finding
        return True

    def _leave_out_calls(self) -> None:
        """Leave out all but the last call, halves of them, and so on down to one."""
        size = len(self.best.calls) - 1
        while size:
            start = len(self.best.calls) - 1 - size
            while start >= 0:
                calls = self.best.calls
                if start + size < len(calls):
                    self._is_shown_by([*calls[:start], *calls[start + size :]])
                start -= size
            size //= 2

    def _simplify_calls(self) -> None:
        for place in range(len(self.best.calls) - 1, -1, -1):
            while any(
                self._is_shown_by([*self.best.calls[:place], call, *self.best.calls[place + 1 :]])
                for call in _simpler(self.best.calls[place])
            ):
                pass

    def _rename(self) -> None:
        """Call the second provider the first one, and so on."""
        for kind in "pkcta":
            for number in (2, 1):
                names = f"{{{kind}{number}}}", f"{{{kind}{number - 1}}}"
                self._is_shown_by([renamed(call, *names) for call in self.best.calls])


def _simpler(call: Call) -> Iterator[Call]:
    """The call with one thing less: a header, a parameter, a value of the body."""
    if call.headers:
        yield replace(call, headers={})
    if call.version is not None:
        yield replace(call, version=None)
    path, _, query = call.path.partition("?")
    parameters = query.split("&") if query else []
    # Without the first parameter, it would list what other sequences have left.
    for place in range(1, len(parameters)):
        rest = "&".join((*parameters[:place], *parameters[place + 1 :]))
        yield replace(call, path=f"{path}?{rest}" if rest else path)
    for *way, last in places_of(call.body):
        value = _inside(call.body, way)[last]
        body = copied(call.body)
        del _inside(body, way)[last]
        yield replace(call, body=body)
        if isinstance(value, (int, float)) and value != 1 and not isinstance(value, bool):
            body = copied(call.body)
            _inside(body, way)[last] = 1
            yield replace(call, body=body)


def _inside(body: Any, way: Sequence[Any]) -> Any:
    for step in way:
        body = body[step]
    return body
