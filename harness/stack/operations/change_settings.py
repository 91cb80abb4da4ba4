"""Changes a setting for all replicas, and changes it back if a replica does not serve with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.config.plan import counted_replicas
from harness.core.errors import StackError
from harness.core.measurements import Progress
from harness.core.signals import shielded
from harness.stack import project
from harness.stack.clients import replica_logs
from harness.stack.clients.etcd import Etcd
from harness.stack.handle import Stack
from harness.stack.model import lanes
from harness.stack.model.lanes import ReplicaId
from harness.stack.operations import rolling

LAST_LINES = 12


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of GROUP/OPTION, in etcd and in the stack's description.

    None in place of a replica stands for replicas that come later.
    """

    setting: str
    in_etcd: Mapping[ReplicaId, str | None]
    described: Mapping[ReplicaId | None, str | None]


def change(stack: Stack, setting: str, value: str, progress: Progress) -> None:
    """Set GROUP/OPTION for all replicas, in etcd, and restart them one after the other.

    All replicas get their old values back if a replica does not serve with the new one, or after
    Ctrl-C. Raises StackError.
    """
    replicas = [ReplicaId.first(number) for number in stack.replicas]
    after = _Values(
        setting,
        dict.fromkeys(replicas, value),
        dict.fromkeys([*replicas, None], value),
    )
    before = _write(stack, after)
    progress(f"{setting} is set for {counted_replicas(len(replicas))}")
    restarted: list[int] = []
    for replica in stack.replicas:
        progress(f"restarting replica {replica}")
        restarted.insert(0, replica)
        try:
            rolling.restart(stack, replica)
        except StackError as error:
            raise _undone(stack, before, restarted, error, progress) from error
        except KeyboardInterrupt:
            shielded(lambda: _undo(stack, before, restarted, progress))
            raise
        progress(f"replica {replica} has taken it up")


def _write(stack: Stack, values: _Values) -> _Values:
    """Write these values, and return the old ones."""
    with stack.state.changing(), Etcd.of(stack.state) as etcd:
        there = etcd.read_setting(values.setting, values.in_etcd)
        etcd.write_setting(values.setting, values.in_etcd)
        described = project.change_setting(stack.state, values.setting, values.described)
    return _Values(values.setting, there, described)


def _undo(stack: Stack, before: _Values, replicas: Iterable[int], progress: Progress) -> None:
    progress(f"putting {before.setting} back as it was")
    _write(stack, before)
    for replica in replicas:
        progress(f"restarting replica {replica}")
        rolling.restart(stack, replica)


def _undone(
    stack: Stack, before: _Values, replicas: list[int], error: StackError, progress: Progress
) -> StackError:
    """Restore the old values, and return the error that says so."""
    evidence = error.evidence or replica_logs.last_lines(
        stack.state, ReplicaId.first(replicas[0]), LAST_LINES
    )
    problem = f"Replica {replicas[0]} did not take up {before.setting}: {error.problem}"
    try:
        _undo(stack, before, replicas, progress)
    except StackError as failure:
        return StackError(
            f"{problem} The old values could not be restored: {failure.problem}",
            f"{failure.remedy} Then set it again: placement-harness config set {before.setting}.",
            evidence=evidence,
            service=lanes.SERVICE,
        )
    return StackError(
        problem,
        "All replicas have their old values again, and serve. The last lines of replica "
        f"{replicas[0]} are below.",
        evidence=evidence,
        service=lanes.SERVICE,
    )
