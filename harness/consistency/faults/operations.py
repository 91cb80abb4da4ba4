"""Faults that are operations of a stack: a rolling restart, scaling, an upgrade."""

import random
from dataclasses import dataclass

from harness.consistency.cluster import Cluster
from harness.consistency.faults.containers import replicas
from harness.core.errors import StackError, UsageError
from harness.placements import lockfile
from harness.stack.model import containers
from harness.stack.operations import rolling, upgrade
from harness.targets.base import quiet


@dataclass(frozen=True, slots=True)
class Done:
    """An operation that has ended, and left the stack whole."""

    name: str
    lasts: float = 0.0
    met: bool = True

    def heal(self) -> None:
        """Nothing is broken."""


def _require_two(fault: str, cluster: Cluster) -> None:
    if cluster.replicas < 2:
        raise UsageError(
            f"--fault {fault} needs two replicas at least: nothing serves meanwhile.",
            "Give --replicas 2 or more.",
        )


@dataclass(frozen=True, slots=True)
class RollingRestart:
    """All replicas are restarted, one after the other, each taken out of the balancer before."""

    name: str = "rolling-restart"
    once: bool = False
    early: bool = False

    def require(self, cluster: Cluster) -> None:
        _require_two(self.name, cluster)

    def inject(self, cluster: Cluster, choice: random.Random) -> Done:
        restarted = rolling.restart_rolling(cluster.stack, quiet)
        return Done(f"replicas {', '.join(map(str, restarted))}")


@dataclass(frozen=True, slots=True)
class Scaled:
    """A replica was added; healing removes it."""

    cluster: Cluster
    before: int
    name: str
    lasts: float = 1.0
    met: bool = True

    def heal(self) -> None:
        rolling.scale(self.cluster.stack, self.before, quiet)
        if len(replicas(self.cluster)) != self.before:
            raise StackError(
                f"The stack has not {self.before} replicas again.",
                "See what runs: placement-harness status.",
            )


@dataclass(frozen=True, slots=True)
class Scale:
    """A replica is added, and removed after a while."""

    name: str = "scale"
    once: bool = False
    early: bool = False

    def require(self, cluster: Cluster) -> None:
        if len(cluster.stack.record.lanes) > 1:
            raise UsageError(
                "--fault scale needs a stack without lanes: replicas of lanes stay as they are.",
                "Give --stack fresh.",
            )

    def inject(self, cluster: Cluster, choice: random.Random) -> Scaled:
        stack, before = cluster.stack, cluster.stack.record.replicas
        rolling.scale(stack, before + 1, quiet)
        service = replicas(cluster)[-1]
        if not containers.of_service(stack.state, service).is_running:
            raise StackError(f"{service} was added and does not run.", "Run it again.")
        return Scaled(cluster, before, service)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The replicas are upgraded to the locked release, one after the other, once."""

    name: str = "upgrade"
    once: bool = True
    early: bool = False

    def require(self, cluster: Cluster) -> None:
        _require_two(self.name, cluster)
        newest = lockfile.locked_version()
        if all(placed.version == newest for placed in cluster.stack.record.placements):
            raise UsageError(
                f"--fault upgrade ends at placement {newest}, which all replicas run already.",
                "Give an older one, e.g. --placement 15.0.0.",
            )

    def inject(self, cluster: Cluster, choice: random.Random) -> Done:
        newest = lockfile.locked_version()
        changed = upgrade.upgrade(cluster.stack, newest, quiet)
        versions = {placed.version for placed in cluster.stack.record.placements}
        if versions != {newest}:
            raise StackError(
                f"After the upgrade to {newest} replicas run {', '.join(sorted(versions))}.",
                "See what runs: placement-harness status.",
            )
        return Done(f"replicas {', '.join(map(str, changed))}")
