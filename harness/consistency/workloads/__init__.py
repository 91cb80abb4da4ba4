"""The workloads: what clients do at the same moment, and what must hold; nothing runs them here."""

from collections.abc import Mapping

from harness.consistency.workloads.base import Workload
from harness.consistency.workloads.capacity import Capacity
from harness.consistency.workloads.consumer_generation import ConsumerGeneration
from harness.consistency.workloads.create_same import CreateSame
from harness.consistency.workloads.delete_claimed import DeleteClaimed
from harness.consistency.workloads.failed_claims import FailedClaims
from harness.consistency.workloads.moves import Moves
from harness.consistency.workloads.provider_generation import ProviderGeneration
from harness.consistency.workloads.races import Races
from harness.consistency.workloads.read_your_write import ReadYourWrite
from harness.consistency.workloads.reshape import Reshape

_ALL: tuple[Workload, ...] = (
    *(Capacity(), ProviderGeneration(), ConsumerGeneration(), Moves(), CreateSame()),
    *(DeleteClaimed(), ReadYourWrite(), Reshape(), FailedClaims(), Races()),
)
WORKLOADS: Mapping[str, Workload] = {workload.name: workload for workload in _ALL}
