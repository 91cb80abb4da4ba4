"""Asks the placements of a stack for their options, and checks values."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from importlib.resources import files
from typing import Any

from harness.core.errors import StackError, UsageError
from harness.core.process import Outcome
from harness.engine.docker import current
from harness.stack import project
from harness.stack.images.catalogue import IMAGES
from harness.stack.model import lanes
from harness.stack.model.record import Installed, Record

SECONDS = 60.0
NEAR = 3
PYTHON = "/opt/placement/bin/python"
# Runs a script with standard input, in a placement's Python.
Python = Callable[[str, bytes], Outcome]


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a placement: GROUP/OPTION -> whether the value is secret.

    ``whose`` is the placement's title for messages, if a stack has several placements.
    """

    names: Mapping[str, bool]
    whose: str = ""

    def find(self, written: str) -> str:
        """The name in oslo.config's spelling. Raises UsageError that suggests similar names."""
        group, _, option = written.partition("/")
        name = f"{'DEFAULT' if group.upper() == 'DEFAULT' else group}/{option.replace('-', '_')}"
        if name in self.names:
            return name
        near = get_close_matches(name, self.names, NEAR, 0.6)
        # The option alone may be right, and the group forgotten or wrong.
        last = option or group
        same = (candidate for candidate in self.names if candidate.endswith(f"/{last}"))
        near += [candidate for candidate in same if candidate not in near]
        raise UsageError(
            f"{' '.join(filter(None, ('placement', self.whose)))} has no option {written}.",
            f"Did you mean {' or '.join(near[:NEAR])}?"
            if near
            else "Options are named GROUP/OPTION, as in placement_database/connection.",
        )

    def secret(self, name: str) -> bool:
        """Whether the value of an option must not be shown; an unknown option counts as secret."""
        return self.names.get(name, True)


def pythons(record: Record) -> Mapping[str, Python]:
    """Title of each placement that replicas run -> its Python; "" for a single placement."""
    runs = dict.fromkeys(map(record.placement, range(1, record.replicas + 1)))
    return {placed.title if len(runs) > 1 else "": in_image(placed) for placed in runs}


def in_image(placement: Installed) -> Python:
    """The Python of a placement's image, with its code, in a container without a network."""

    def python(script: str, stdin: bytes) -> Outcome:
        image = IMAGES[lanes.SERVICE].tag(placement.content)
        once = replace(project.confined(placement), stdin=stdin)
        return current().run(image, PYTHON, "-c", script, seconds=SECONDS, once=once)

    return python


def known(pythons: Mapping[str, Python]) -> Options:
    """The options of all these placements; secret if any of the placements says so."""
    names: dict[str, bool] = {}
    for python in pythons.values():
        for name, secret in _ask(python, None, None)["names"].items():
            names[name] = secret or names.get(name, False)
    return Options(names)


def check(pythons: Mapping[str, Python], written: str, value: str) -> str:
    """The option's name. Raises UsageError unless all these placements take the value."""
    (name,) = {_check(whose, python, written, value) for whose, python in pythons.items()}
    return name


def _check(whose: str, python: Python, written: str, value: str) -> str:
    answer = _ask(python, written, value)
    name = Options(answer["names"], whose).find(written)
    if name != written:
        answer = _ask(python, name, value)
    if answer["error"] is not None:
        reason = f": {answer['error']}" if answer["error"] else ""
        raise UsageError(
            f"{name} takes a value of type {answer['type']}{reason.rstrip('.')}.",
            "Give a value of that type.",
        )
    return name


def _ask(python: Python, name: str | None, value: str | None) -> dict[str, Any]:
    script = files("harness.stack.operations").joinpath("options_inside.py").read_text()
    # A value may be secret, and other users can read arguments: it goes through standard input.
    outcome = python(script, json.dumps({"name": name, "value": value}).encode())
    if not outcome.ok:
        raise StackError(
            f"placement could not be asked for its options: {outcome.reason}.",
            "See whether its image exists: placement-harness doctor.",
            evidence=outcome.evidence,
        )
    answer: dict[str, Any] = json.loads(outcome.out.splitlines()[-1])
    return answer
