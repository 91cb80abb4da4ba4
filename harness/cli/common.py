"""Parts that all commands share: options, errors and exit codes, lines of progress."""

import contextlib
import math
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from harness.config.options import SETTINGS
from harness.config.plan import (
    DEFAULT_REPLICAS,
    MAX_REPLICAS,
    NAME_VARIABLE,
    SHARED_STACK,
    number_of_replicas,
)
from harness.core.errors import HarnessError, UsageError, file_error
from harness.core.signals import heeded

named = click.option(
    "--name",
    default=SHARED_STACK,
    envvar=NAME_VARIABLE,
    show_default=True,
    show_envvar=True,
    help="Name of the stack.",
)


def help_of(setting: str) -> str:
    """The help of a setting of pytest, as a sentence."""
    text = SETTINGS[setting].help
    return f"{text[0].upper()}{text[1:]}."


class Commands(click.Group):
    """A group of commands that prints an error as one paragraph, and ends with its exit code."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        for number in heeded(signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        try:
            super().main(*args, **{**kwargs, "standalone_mode": False})
        except HarnessError as error:
            _end(error)
        except OSError as error:
            if refusal := file_error(error):
                _end(refusal)
            raise
        except click.UsageError as error:
            error.show()
            sys.exit(UsageError.exit_code)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.secho("interrupted; the work is undone or finished", fg="yellow", err=True)
            sys.exit(130)
        sys.exit(0)


def _end(error: HarnessError) -> NoReturn:
    click.secho(f"ERROR: {error}", fg="red", err=True)
    sys.exit(error.exit_code)


def _interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def say(line: str) -> None:
    # A closed terminal must not keep a stack from being removed.
    with contextlib.suppress(OSError):
        click.echo(f"  {line}", err=True)


class Replicas(click.ParamType[int]):
    """A number of replicas, or the number of one replica. Its errors read as those of pytest."""

    name = "N"

    def __init__(self, of: str) -> None:
        self._of = of

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        return number_of_replicas(value, f"{self._of} {value}")


def replicas_argument(function: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--replicas",
        type=Replicas("--replicas"),
        help=f"Number of placement replicas, 1 to {MAX_REPLICAS} (default: as many as a running "
        f"stack has, or {DEFAULT_REPLICAS}).",
    )(function)


def running(name: str) -> Any:
    """The stack with this name, which was left running. Raises StackError if there is none."""
    from harness.stack.lifecycle import reuse
    from harness.stack.model.state import StackState

    state = StackState(name)
    stack = reuse.running_stack(state, whole=False)
    if stack is None:
        raise reuse.not_running(state)
    click.get_current_context().call_on_close(stack.close)
    return stack


def require_seconds(seconds: float | None) -> None:
    """Raise UsageError for a time in which nothing could be done, or that has no end."""
    if seconds is not None and not 0 < seconds < math.inf:
        raise UsageError(f"--seconds {seconds:g} leaves no time.", "Give a number above 0.")
