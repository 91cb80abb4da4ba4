"""How a service ends that must not serve.

oslo.config logs what goes wrong while a source is opened, and goes on: the service would then
serve with defaults. It catches Exception; SystemExit is not one.
"""

import os
import sys
import threading
from typing import NoReturn

# What uwsgi takes for "the application could not be loaded": with need-app the whole instance then
# ends. A worker that ends with another code is started again, for ever.
EXIT_CODE = 22


class SourceError(Exception):
    """A source cannot be used: what came back, and what to do about it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


def refuse(source: str, error: SourceError) -> NoReturn:
    """Say why on stderr, in one line, and end the process."""
    say(f"ERROR: configuration source {source}: {error}")
    if threading.current_thread() is threading.main_thread():
        raise SystemExit(EXIT_CODE)
    # Elsewhere SystemExit would end the thread alone.
    os._exit(EXIT_CODE)


def say(line: str) -> None:
    """Write to stderr: settings are read before logging is set up, for that depends on them."""
    print(" ".join(line.split()), file=sys.stderr, flush=True)
