"""Starts replicas on an existing cloud's database, memcached and keystone, and removes them."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.attach import apache_lines, examine, project, starting
from harness.attach.cloud import AUTH_GROUP, AUTH_TYPE, Cloud
from harness.attach.examine import View
from harness.attach.snapshot import Rows, TableChange, compare
from harness.config.plan import FIRST_LANE, Lane, Plan
from harness.core import ports
from harness.core.errors import StackError
from harness.core.files import write_private
from harness.core.measurements import Progress
from harness.core.signals import shielded
from harness.core.words import counted
from harness.engine import install
from harness.placements import specs
from harness.placements.lockfile import locked_version
from harness.stack.images.build import ensure_images
from harness.stack.images.catalogue import with_parents
from harness.stack.images.contents import Contents, contents_of
from harness.stack.lifecycle.ownership import claim, refuse_foreign
from harness.stack.lifecycle.teardown import take_down
from harness.stack.model import policies
from harness.stack.model.record import Installed, Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.operations import code_reload, placement_options

LAST_LINES = 20
IMAGES = ("apache", "placement")
# Tables that placement itself writes when it starts.
OWN_TABLES = frozenset({"alembic_version", "traits", "resource_classes"})
# Files of the state: what the database had, the cloud's settings, and lines for its Apache.
BEFORE, CLOUD, LINES_IN, LINES_OUT = "rows.json", "cloud.json", "apache-in.conf", "apache-out.conf"


@dataclass(frozen=True, slots=True)
class Attached:
    """Replicas that serve a cloud beside its own placement."""

    record: Record
    placements: tuple[Installed, ...]
    lines_in: str
    lines_out: str
    tables: list[TableChange]
    folder: Path


def attach(
    plan: Plan,
    cloud: Cloud,
    network: str,
    progress: Progress,
    *,
    apache: Path | None = None,
    may_add: bool = False,
) -> Attached:
    """Start the plan's replicas for a cloud; what was started is removed if anything fails.

    ``network`` is one of the engine's, or ``host``. ``apache`` is the file of the cloud's Apache
    with the line that the replicas are to replace. Raises UsageError and StackError.
    """
    former = apache_lines.former(apache)
    state = StackState(plan.name)
    state.lock()
    try:
        _refuse_taken(state)
        install.ensure_engine(progress)
        refuse_foreign(state)
        placements = specs.of_plan(plan, progress)
        contents = contents_of(with_parents(IMAGES), placements)
        ensure_images(contents, progress)
    except BaseException:
        if state.is_empty():
            state.remove()
        state.release()
        raise
    try:
        return _attach(state, plan, contents, cloud, network, former, progress, may_add=may_add)
    except BaseException:
        shielded(lambda: take_down(state, progress))
        raise
    finally:
        state.release()


def _refuse_taken(state: StackState) -> None:
    record = state.record()
    if record is None:
        return
    if record.attached:
        raise StackError(
            f"{state.name} is attached already, in the network {record.attached}.",
            f"Give the new one another name (--name), or take this one away: placement-harness "
            f"detach --name {state.name}.",
        )
    raise StackError(
        f"There is a stack {state.name} already, with a database of its own.",
        "Give the replicas of the cloud another name: --name.",
    )


def _attach(
    state: StackState,
    plan: Plan,
    contents: Contents,
    cloud: Cloud,
    network: str,
    former: str,
    progress: Progress,
    *,
    may_add: bool,
) -> Attached:
    newest = contents.newest or specs.resolve("")
    placements = tuple(
        code_reload.installed(state, placement, contents.of(placement))
        for placement in contents.placements
    ) or (Installed(version=locked_version(), content=contents.images["placement"]),)
    record = Record(
        name=state.name,
        lifetime="keep",
        replicas=plan.replicas,
        port=plan.port or ports.free(),
        schema=newest.schema.head if contents.newest else "",
        placements=placements,
        attached=network,
    )
    claim(state)
    state.create(record, Secrets(), contents.variables())
    # The harness has no password of the cloud's users.
    state.clouds_file.unlink()
    folder = _write_files(state, cloud)
    _refuse_unknown(cloud, placements)
    view = View(placements[0], network, str(folder))
    progress(f"looking at the cloud from {view.title}: database {cloud.place}")
    finding = examine.examine(view, cloud, newest.schema, may_add=may_add)
    if not finding.has_memcached:
        progress("the cloud's placement names no memcached: each replica checks tokens for itself")
    rows = sum(map(len, finding.rows.values()))
    progress(f"the database has {counted(rows, 'row')} in {counted(len(finding.rows), 'table')}")
    port = ports.free() if network == examine.HOST else project.PORT
    project.write(state, record, cloud, port)
    _keep(state, cloud, finding.rows)
    progress(f"starting {counted(plan.replicas, 'replica')} behind {record.url}")
    starting.start(state, record, finding.token, progress)
    changes = compare(finding.rows, examine.rows(view, cloud))
    _refuse_changes(changes, may_add=may_add)
    lines = apache_lines.balancer(state.name, project.members(record, port))
    write_private(state.directory / LINES_IN, f"{lines}\n")
    write_private(state.directory / LINES_OUT, f"{former}\n")
    state.save(dataclasses.replace(record, ready=True))
    return Attached(record, placements, lines, former, changes, state.directory)


def _refuse_unknown(cloud: Cloud, placements: Sequence[Installed]) -> None:
    """Raise UsageError if ``--set`` names an option that a placement lacks, or a wrong value.

    The options of another way to log in than by a password are those of a plugin.
    """
    by_password = cloud.settings.get(AUTH_TYPE, "password") == "password"
    for name, value in cloud.given.items():
        if by_password or not name.startswith(AUTH_GROUP):
            pythons = {
                placement.title if len(placements) > 1 else "": placement_options.in_image(
                    placement
                )
                for placement in placements
            }
            placement_options.check(pythons, name, value)


def _write_files(state: StackState, cloud: Cloud) -> Path:
    """Write the files that the cloud's settings name, for replicas, which are another user."""
    policies.prepare(state, [Lane(FIRST_LANE)])
    folder = state.policy_file(FIRST_LANE).parent
    for name, content in cloud.files.items():
        path = folder / name
        path.write_text(content)
        path.chmod(0o644)
    return folder


def _keep(state: StackState, cloud: Cloud, rows: Rows) -> None:
    """Keep what ``detach`` compares with. The settings have passwords in them."""
    write_private(state.directory / CLOUD, json.dumps(dict(cloud.settings)))
    write_private(state.directory / BEFORE, json.dumps(rows))


def _refuse_changes(changes: list[TableChange], *, may_add: bool) -> None:
    """Raise StackError if the start has written what only placement itself writes."""
    written = [table for table in changes if table.name in OWN_TABLES and not table.is_same]
    if written and not (may_add and all(table.only_grew for table in written)):
        raise StackError(
            "The cloud's database is not what it was before the replicas started: "
            f"{', '.join(table.name for table in written)}. The replicas were removed again.",
            "Was the cloud migrated meanwhile? See the tables below, and try again.",
            evidence=[str(table) for table in written],
        )
