"""The stack as tests in Python have it: a handle with the operations as methods."""

from harness.core.measurements import Progress
from harness.stack.handle import Stack
from harness.stack.operations import rolling


class RunningStack(Stack):
    """A stack that answers, with what can be done to its replicas while requests flow."""

    def scale(self, replicas: int, progress: Progress) -> None:
        """Add or remove replicas; requests under way are finished, none is refused."""
        rolling.scale(self, replicas, progress)

    def restart_rolling(self, progress: Progress) -> list[int]:
        """Restart the replicas one after the other; return their numbers."""
        return rolling.restart_rolling(self, progress)

    def restart(self, replica: int) -> None:
        """Take a replica out, restart it, and put it back when it serves."""
        rolling.restart(self, replica)
