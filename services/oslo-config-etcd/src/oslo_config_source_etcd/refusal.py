"""Ends a service that must not serve.

oslo.config logs an error while it opens a source, and goes on: the service would then serve with
defaults. It catches Exception, and SystemExit is not an Exception.
"""

import os
import sys
import threading
from typing import NoReturn

# uwsgi's exit code for an application that could not be loaded: with need-app the whole instance
# then ends. A worker that ends with another code is started again, without end.
EXIT_CODE = 22


class SourceError(Exception):
    """A source cannot be used: the problem, and the remedy."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


def refuse(source: str, error: SourceError) -> NoReturn:
    """Say why on stderr, in one line, and end the process."""
    say(f"ERROR: configuration source {source}: {error}")
    if threading.current_thread() is threading.main_thread():
        raise SystemExit(EXIT_CODE)
    # In another thread SystemExit would end that thread alone.
    os._exit(EXIT_CODE)


def say(line: str) -> None:
    """Write a line to stderr. Logging is not set up yet: it depends on the settings."""
    print(" ".join(line.split()), file=sys.stderr, flush=True)
