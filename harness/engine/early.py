"""Fetches the base image or Compose while the virtual environment is still being made.

    python -m harness.engine.early base       the base image
    python -m harness.engine.early compose    Compose, with this interpreter's pip

Only the standard library is needed. A failure is not reported: `placement-harness setup` does the
same afterwards, and explains what is wrong.
"""

import sys

from harness.core.errors import HarnessError
from harness.engine import base_image, install


def main(what: str) -> None:
    """Fetch one thing, if it is missing."""
    try:
        install.require_engine()
        if what == "base":
            base_image.ensure_base(_say)
        elif install.compose_problem(version := install.compose_version()):
            install.install_compose(_say, instead_of=version)
    except (HarnessError, OSError):
        return


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
