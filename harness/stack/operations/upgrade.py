"""Rolling upgrades: the schema first, then replica by replica, while requests flow."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from harness.core.errors import StackError, UsageError
from harness.core.measurements import Progress
from harness.core.signals import shielded
from harness.engine.compose import Up
from harness.engine.values import Container, DockerError
from harness.placements import specs
from harness.placements.model import Placement
from harness.placements.specs import constraints_at
from harness.stack import named_hosts, project
from harness.stack.handle import Stack
from harness.stack.images import build, delivery
from harness.stack.images.catalogue import IMAGES, with_parents
from harness.stack.images.contents import contents_of
from harness.stack.model import containers, lanes, oslo_settings
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.record import Installed
from harness.stack.model.state import STATE_LABEL
from harness.stack.operations import code_reload, placement_options, rolling
from harness.stack.settings import config_sources

# Does the same as `placement-manage db sync`, which needs libraries that a server does not have.
SYNC = """
from oslo_config import cfg
from placement import conf, db_api
from placement.db.sqlalchemy import migration
config = cfg.ConfigOpts()
conf.register_opts(config)
config([], project="placement", default_config_files=[])
db_api.configure(config)
migration.upgrade("head")
"""
# The settings that a migration needs.
DATABASE = "placement_database/"
# Time limit of a migration. The database is small, but the machine may be busy.
SYNC_SECONDS = 120.0


def upgrade(stack: Stack, spec: str, progress: Progress, constraints: str = "") -> list[int]:
    """Let all replicas run another placement, one after the other; return those replaced.

    An upgrade that was broken off goes on where it stopped. Raises UsageError if the stack's
    database is too new for the placement, StackError if the upgrade fails. Replicas that serve go
    on serving.
    """
    replaced = []
    target = specs.resolve(spec, constraints_at(constraints), progress)
    _refuse(stack, target)
    checkouts = [spec] if target.kind == "checkout" else []
    named_hosts.refuse_checkouts(stack.state.hosts, checkouts)
    contents = contents_of(with_parents([lanes.SERVICE]), [target])
    build.ensure_images(contents, progress)
    delivery.deliver_replicas(contents, stack.state.hosts, progress)
    with stack.state.changing(), stack.watching():
        stack.refresh()
        # Another upgrade may have been made meanwhile.
        _refuse(stack, target)
        wanted = code_reload.installed(stack.state, target, contents.of(target))
        _sync_schema(stack, wanted, progress)
        stack.save(schema=target.schema.head)
        for replica in stack.replicas:
            before = stack.record.placement(replica)
            if before != wanted:
                progress(f"replica {replica}: {before.title} -> {wanted.title}")
            elif code_reload.is_unloaded(wanted) or not stack.serves(replica):
                progress(f"replica {replica}: {wanted.title} anew")
            else:
                continue
            _replace(stack, replica, wanted)
            progress(f"replica {replica} serves")
            replaced.append(replica)
        stack.save(placements=(wanted,))
        code_reload.loaded([wanted])
        stack.balancer.only(stack.replicas)
    return replaced


def _refuse(stack: Stack, target: Placement) -> None:
    rolling.require_another(stack)
    if len(stack.record.lanes) > 1:
        raise UsageError(
            f"The stack {stack.name} has lanes, which belong to the suites of one version.",
            "Start one without: placement-harness down, then placement-harness up.",
        )
    head = stack.record.schema or specs.resolve("").schema.head
    if head not in target.schema.known:
        raise UsageError(
            f"placement {target.title} does not know the database's schema, {head}.",
            "An upgrade goes to the same or a newer version.",
        )


def _sync_schema(stack: Stack, placement: Installed, progress: Progress) -> None:
    """Let the new placement migrate the database, which the old ones go on using."""
    progress("migrating the schema")
    every = project.settings(stack.state)[ReplicaId.first(1)]
    # Whatever the replicas' configuration source is, this container gets its settings by variables.
    settings = {name: value for name, value in every.items() if name.startswith(DATABASE)}
    with tempfile.NamedTemporaryFile("w", dir=stack.state.directory) as variables:
        os.chmod(variables.name, 0o600)
        for name, value in oslo_settings.variables(settings).items():
            variables.write(f"{name}={value}\n")
        variables.flush()
        once = replace(
            project.confined(placement),
            network=project.load(stack.state)["networks"]["default"]["name"],
            env_file=Path(variables.name),
            # The container does not get the stack's label: its end is no death in the stack.
            labels={STATE_LABEL: str(stack.state.directory)},
        )
        image = IMAGES[lanes.SERVICE].tag(placement.content)
        words = (placement_options.PYTHON, "-c", SYNC)
        done = stack.engine.run(image, *words, seconds=SYNC_SECONDS, once=once)
    if not done.ok:
        raise StackError(
            f"placement {placement.version} could not migrate the schema: {done.reason}.",
            "All replicas go on with the placements that they ran. The migration's last lines are "
            "below.",
            evidence=done.evidence,
            service=lanes.SERVICE,
        )


def _replace(stack: Stack, replica: int, placement: Installed) -> None:
    """Take a replica out, start the other placement under its name, and put it back."""
    stack.source.require(stack.state)
    turns = [stack.record.placement(number) for number in stack.replicas]
    turns[replica - 1] = placement
    with rolling.out(stack, replica):
        shielded(lambda: _start(stack, ReplicaId.first(replica), tuple(turns)))


def _start(stack: Stack, replica: ReplicaId, placements: tuple[Installed, ...]) -> None:
    """Start a replica anew with its placement, and record the placements of all replicas."""
    for container in containers.of_stack(stack.state):
        if containers.number_of(container) == replica.number:
            _remove(container)
    stack.save(placements=placements)
    project.set_replicas(stack.state, stack.record)
    settings = {replica: project.settings(stack.state)[replica]}
    what = Up((replica.service,), dependencies=False)
    config_sources.start(stack.source, stack.state, settings, what)


def _remove(container: Container) -> None:
    try:
        container.engine.remove_containers([container.id])
    except DockerError as error:
        # The container may have been removed since it was listed.
        if "no such container" not in error.output.lower():
            raise StackError(
                f"{container.name} could not be removed: {error.reason}.",
                "See whether docker works: placement-harness doctor.",
                service=lanes.SERVICE,
            ) from None
