"""The workloads: what clients do at the same moment, and what must hold; nothing runs them here."""

from collections.abc import Mapping

from harness.consistency.workloads.base import Workload
from harness.consistency.workloads.capacity import Capacity

_ALL: tuple[Workload, ...] = (Capacity(),)
WORKLOADS: Mapping[str, Workload] = {workload.name: workload for workload in _ALL}
