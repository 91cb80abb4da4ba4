"""The error for a file of a stack that is lost, or that cannot be read."""

import errno
import json
import pathlib

from harness.config.plan import name_option
from harness.core.errors import StackError


class UnreadableError(StackError):
    """A file of a stack is lost or cannot be read, so nothing is known of the stack.

    ``damaged`` means that later attempts will fail, too: the content is at fault, or lost.
    """

    def __init__(self, name: str, path: pathlib.Path, reason: Exception) -> None:
        lost = (errno.EISDIR, errno.ENOENT)
        self.damaged = not isinstance(reason, OSError) or reason.errno in lost
        why = reason.strerror if isinstance(reason, OSError) else _fault(reason)
        down = f"placement-harness down{name_option(name)}"
        super().__init__(
            f"{path} cannot be read: {why}. Whether the stack {name} is to be kept is not known, "
            "so nothing of it was removed.",
            f"Restore the file, or remove the stack with all that is in it: {down}."
            if self.damaged
            else "Make the file readable, and try again. To remove the stack with all that is in "
            f"it, once the file can be read: {down}.",
        )


class HostsError(UnreadableError):
    """The file with a stack's hosts is lost or cannot be read: parts may be on any engine."""

    def __init__(self, name: str, path: pathlib.Path, reason: Exception) -> None:
        self.damaged = False
        why = reason.strerror if isinstance(reason, OSError) else _fault(reason)
        StackError.__init__(
            self,
            f"{path} cannot be read: {why}. On which engines the stack {name} has containers is "
            "not known, so nothing of it was removed.",
            'Restore the file, a list of {"name": NAME, "address": ADDRESS}. Or remove what has '
            f"the label placement-harness.stack={name} from each engine, and the directory "
            f"{path.parent}.",
        )


def _fault(reason: Exception) -> str:
    if isinstance(reason, json.JSONDecodeError):
        return "it is empty" if not reason.doc.strip() else "it is no JSON"
    return "it lacks a value, or has one of another kind"
