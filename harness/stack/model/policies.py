"""The policies of lanes: a file for each, which its replicas read anew when it has changed."""

import contextlib
import json
from collections.abc import Mapping, Sequence

from harness.config.plan import Lane
from harness.stack.model import copies, lanes
from harness.stack.model.record import Record
from harness.stack.model.state import StackState


def prepare(state: StackState, of_lanes: Sequence[Lane]) -> None:
    """Write an empty policy for each lane, which can be replaced while its replicas run."""
    for lane in of_lanes:
        folder = state.policy_file(lane.name).parent
        folder.mkdir(parents=True, exist_ok=True)
        # Replicas read the policy as another user; nothing in it is secret.
        folder.chmod(0o755)
        set_policy(state, lane.name, {})


def restore(state: StackState, record: Record) -> None:
    """Give each lane placement's default policy again, which a killed run did not do."""
    for lane in (
        *record.lanes,
        *(map(lanes.of_reference, record.lanes) if record.reference else ()),
    ):
        # The stack may have been removed meanwhile.
        with contextlib.suppress(FileNotFoundError):
            set_policy(state, lane, {})


def set_policy(state: StackState, lane: str, rules: Mapping[str, str]) -> None:
    """Write policy.yaml for a lane's replicas, which read it at their next request.

    Replicas on other hosts get a copy, if it has changed. Raises StackError.
    """
    path = state.policy_file(lane)
    text = json.dumps(rules)
    changed = not path.exists() or path.read_text() != text
    partial = path.with_suffix(".partial")
    # JSON is YAML.
    partial.write_text(text)
    partial.chmod(0o644)
    partial.replace(path)
    if changed:
        copies.push(state, path.parent)
