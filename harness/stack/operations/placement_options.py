"""placement's options, as the placements of a stack know them."""

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
    """Names of GROUP/OPTION, each with whether its value is secret; ``whose`` they are."""

    names: Mapping[str, bool]
    whose: str = ""

    def find(self, written: str) -> str:
        """The name as oslo.config has it. Raises UsageError, with the names that are near."""
        group, _, option = written.partition("/")
        name = f"{'DEFAULT' if group.upper() == 'DEFAULT' else group}/{option.replace('-', '_')}"
        if name in self.names:
            return name
        near = get_close_matches(name, self.names, NEAR, 0.6)
        # The option alone may be right, and the group forgotten or wrong.
        last = option or group
        near += [one for one in self.names if one.endswith(f"/{last}") and one not in near]
        raise UsageError(
            f"{' '.join(filter(None, ('placement', self.whose)))} has no option {written}.",
            f"Did you mean {' or '.join(near[:NEAR])}?"
            if near
            else "Options are named GROUP/OPTION, as in placement_database/connection.",
        )

    def secret(self, name: str) -> bool:
        """Whether a value must not be shown; of what is not known, it must not."""
        return self.names.get(name, True)


def pythons(record: Record) -> Mapping[str, Python]:
    """The Python of each placement that replicas run; by its title, if there are several."""
    runs = dict.fromkeys(map(record.placement, range(1, record.replicas + 1)))
    return {one.title if len(runs) > 1 else "": in_image(one) for one in runs}


def in_image(placement: Installed) -> Python:
    """The Python of a placement's image, with its code, in a container without a network."""

    def python(script: str, stdin: bytes) -> Outcome:
        image = IMAGES[lanes.SERVICE].tag(placement.content)
        once = replace(project.confined(placement), stdin=stdin)
        return current().run(image, PYTHON, "-c", script, seconds=SECONDS, once=once)

    return python


def known(pythons: Mapping[str, Python]) -> Options:
    """The options that one of these placements has; secret where one of them says so."""
    names: dict[str, bool] = {}
    for python in pythons.values():
        for name, secret in _ask(python, None, None)["names"].items():
            names[name] = secret or names.get(name, False)
    return Options(names)


def check(pythons: Mapping[str, Python], written: str, value: str) -> str:
    """The option's name, when all of these placements take this value. Raises UsageError."""
    (name,) = {_check(whose, python, written, value) for whose, python in pythons.items()}
    return name


def _check(whose: str, python: Python, written: str, value: str) -> str:
    told = _ask(python, written, value)
    name = Options(told["names"], whose).find(written)
    if name != written:
        told = _ask(python, name, value)
    if told["error"] is not None:
        said = f": {told['error']}" if told["error"] else ""
        raise UsageError(
            f"{name} takes a value of type {told['type']}{said.rstrip('.')}.",
            "Give one of that type.",
        )
    return name


def _ask(python: Python, name: str | None, value: str | None) -> dict[str, Any]:
    script = files("harness.stack.operations").joinpath("options_inside.py").read_text()
    # A value may be secret, and arguments can be read by others.
    said = python(script, json.dumps({"name": name, "value": value}).encode())
    if not said.ok:
        raise StackError(
            f"placement could not be asked for its options: {said.reason}.",
            "See whether its image is there: placement-harness doctor.",
            evidence=said.evidence,
        )
    told: dict[str, Any] = json.loads(said.out.splitlines()[-1])
    return told
