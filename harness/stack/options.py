"""placement's options, as the placement of a stack knows them."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from typing import Any

from harness.errors import StackError, UsageError
from harness.stack.commands import run

SECONDS = 60.0
NEAR = 3
Python = Sequence[str]


@dataclass(frozen=True, slots=True)
class Options:
    """Names of GROUP/OPTION, each with whether its value is secret."""

    names: Mapping[str, bool]

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
            f"placement has no option {written}.",
            f"Did you mean {' or '.join(near[:NEAR])}?"
            if near
            else "Options are named GROUP/OPTION, as in placement_database/connection.",
        )

    def secret(self, name: str) -> bool:
        """Whether a value must not be shown; of what is not known, it must not."""
        return self.names.get(name, True)


def in_image(image: str) -> Python:
    """The Python of a placement image, in a container that nobody reaches."""
    container = ("docker", "run", "--rm", "--interactive", "--network", "none", "--read-only")
    return (*container, "--entrypoint", "/opt/placement/bin/python", image)


def known(python: Python) -> Options:
    """The options of the placement that this Python has."""
    names: Mapping[str, bool] = _ask(python, None, None)["names"]
    return Options(names)


def check(python: Python, written: str, value: str) -> str:
    """The option's name, when it takes this value. Raises UsageError."""
    told = _ask(python, written, value)
    name = Options(told["names"]).find(written)
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
    script = files("harness.stack").joinpath("options_inside.py").read_text()
    with tempfile.TemporaryFile() as asked:
        # Not as an argument: a value may be secret.
        asked.write(json.dumps({"name": name, "value": value}).encode())
        asked.seek(0)
        said = run(*python, "-c", script, seconds=SECONDS, stdin=asked)
    if not said.ok:
        raise StackError(
            f"placement could not be asked for its options: {said.reason}.",
            "See whether its image is there: placement-harness doctor.",
            evidence=said.evidence,
        )
    told: dict[str, Any] = json.loads(said.out.splitlines()[-1])
    return told
