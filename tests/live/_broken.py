"""Placements that are broken on purpose: edits of a checkout, and the promise that each breaks.

The edits are made in placement 16.0.0; an edit whose text is not found once is an error.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from harness.consistency import integrity
from harness.consistency.workloads import (
    capacity,
    consumer_generation,
    create_same,
    delete_claimed,
    failed_claims,
    moves,
    provider_generation,
    read_your_write,
    reshape,
)

SETUP = """[metadata]
name = openstack-placement
version = 16.0.0
[files]
packages = placement
"""


@dataclass(frozen=True)
class Broken:
    """A broken placement: ``edits`` are (file, text, its replacement).

    ``setting`` is a global setting of the database; ``fault`` is injected meanwhile.
    """

    name: str
    workload: str
    promise: str
    edits: tuple[tuple[str, str, str], ...]
    setting: str = ""
    fault: str = ""

    def apply(self, tree: Path) -> None:
        for name, old, new in self.edits:
            path = tree / "placement" / name
            text = path.read_text()
            assert text.count(old) == 1, f"{self.name}: {name} has {text.count(old)} x {old!r}"
            path.write_text(text.replace(old, new))


ALLOCATION = "objects/allocation.py"
PROVIDER = "objects/resource_provider.py"
CONSUMER = "objects/consumer.py"
INVENTORY = "handlers/inventory.py"
# The check of a generation in handlers, and a comparison that is never true.
NEVER = "if False and "
COUNTED = """    for rp in visited_rps.values():
        rp.increment_generation()
"""
WRITTEN = """        alloc.id = res.lastrowid
"""
DATABASE = """    conf_dict.pop('sync_on_startup', None)
"""
CLAIMS = """        alloc_obj.replace_all(ctx, allocations)
        LOG.debug("Successfully"""
CHECKED = "    visited_rps = _check_capacity_exceeded(context, allocs, prev_usage)\n"


def session(setting: str) -> tuple[tuple[str, str, str], ...]:
    """Edits that give each connection to the database a setting."""
    word = f"conf_dict['connection'] += '?init_command=SET SESSION {setting}'"
    return (("db_api.py", DATABASE, f"{DATABASE}    {word}\n"),)


def now_and_then(chance: float, statement: str) -> str:
    return f"    import random\n    if random.random() < {chance}:\n        {statement}\n"


ONE_PROVIDER_WINNER = ("provider-generation", provider_generation.ONE_WINNER)
BROKEN = (
    # Generations
    Broken("an-inventory-write-looks-at-no-generation", *ONE_PROVIDER_WINNER, ((
        INVENTORY,
        "    if data['resource_provider_generation'] != resource_provider.generation:\n"
        "        raise webob.exc.HTTPConflict(\n"
        "            'resource provider generation conflict',\n"
        "            comment=errors.CONCURRENT_UPDATE)\n\n    inventories = []",
        "    inventories = []"),)),
    Broken("a-trait-write-looks-at-no-generation", *ONE_PROVIDER_WINNER, ((
        "handlers/trait.py", "if resource_provider.generation != rp_gen",
        f"{NEVER}resource_provider.generation != rp_gen"),)),
    Broken("an-aggregate-write-looks-at-no-generation", *ONE_PROVIDER_WINNER, ((
        "handlers/aggregate.py", "if resource_provider.generation != rp_gen",
        f"{NEVER}resource_provider.generation != rp_gen"),)),
    Broken("a-provider-generation-is-not-checked-when-it-is-written", *ONE_PROVIDER_WINNER, ((
        PROVIDER, "            _RP_TBL.c.generation == rp_gen)",
        "            _RP_TBL.c.generation >= 0)"),)),
    Broken("a-provider-generation-counts-by-two", "provider-generation",
           provider_generation.COUNTS, ((
        PROVIDER, "new_generation = rp_gen + 1", "new_generation = rp_gen + 2"),)),
    Broken("a-claim-looks-at-no-consumer-generation", "consumer-generation",
           consumer_generation.ONE_WINNER, ((
        "handlers/util.py", "if consumer.generation != consumer_generation",
        f"{NEVER}consumer.generation != consumer_generation"),)),
    Broken("a-consumer-generation-is-not-checked-when-it-is-written", "consumer-generation",
           consumer_generation.ONE_WINNER, ((
        CONSUMER, "            CONSUMER_TBL.c.generation == consumer_gen)).values(\n"
        "            generation=",
        "            CONSUMER_TBL.c.generation >= 0)).values(\n            generation="),)),
    Broken("a-reshape-looks-at-no-generation", "reshape", reshape.ONE_WINNER, (
        ("handlers/reshaper.py", "if generation != resource_provider.generation",
         f"{NEVER}generation != resource_provider.generation"),
        ("handlers/util.py", "if consumer.generation != consumer_generation",
         f"{NEVER}consumer.generation != consumer_generation"),)),
    # Capacity
    Broken("capacity-is-not-checked", "capacity", capacity.WITHIN, ((
        ALLOCATION, "                raise exception.InvalidAllocationCapacityExceeded(\n"
        "                    resource_class=alloc.resource_class,\n"
        "                    resource_provider=rp_uuid)", "                pass"),)),
    Broken("a-claim-does-not-count-its-provider", "capacity", capacity.WITHIN, ((
        ALLOCATION, COUNTED, ""),)),
    Broken("a-claim-is-written-before-it-is-checked", "capacity", capacity.NOTHING_LEFT, (
        (ALLOCATION, CHECKED, "    visited_rps = {}\n"),
        (ALLOCATION, COUNTED, "    context.session.commit()\n"
         f"{CHECKED}{COUNTED}"),)),
    Broken("a-refused-claim-is-not-rolled-back", "capacity", capacity.WITHIN, ((
        ALLOCATION, COUNTED, "    context.session.commit()\n" + COUNTED),)),
    Broken("a-retry-does-not-check-again", "capacity", capacity.WITHIN, ((
        ALLOCATION, CHECKED,
        "    visited_rps = {a.resource_provider.uuid: a.resource_provider for a in allocs}\n"
        "    if not hasattr(context, 'checked'):\n"
        "        _check_capacity_exceeded(context, allocs, prev_usage)\n"
        "        context.checked = True\n"),)),
    Broken("a-conflict-is-answered-with-success", "consumer-generation",
           consumer_generation.ONE_WINNER, ((
        "handlers/allocation.py", "    except exception.ConcurrentUpdateDetected as exc:\n"
        "        raise webob.exc.HTTPConflict(\n"
        "            'Inventory and/or allocations changed while attempting to '\n"
        "            'allocate: %(error)s' % {'error': exc},\n"
        "            comment=errors.CONCURRENT_UPDATE)\n\n    req.response.status = 204\n"
        "    req.response.content_type = None\n    return req.response\n\n\n"
        "@wsgi_wrapper.PlacementWsgify\n@microversion.version_handler('1.0', '1.7')",
        "    except exception.ConcurrentUpdateDetected:\n        pass\n\n"
        "    req.response.status = 204\n"
        "    req.response.content_type = None\n    return req.response\n\n\n"
        "@wsgi_wrapper.PlacementWsgify\n@microversion.version_handler('1.0', '1.7')"),)),
    Broken("a-claim-is-dropped-now-and-then", "capacity", capacity.KEPT, ((
        ALLOCATION, "    retries = context.config.placement.allocation_conflict_retry_count\n",
        now_and_then(0.1, "return")
        + "    retries = context.config.placement.allocation_conflict_retry_count\n"),)),
    Broken("half-of-a-claim-is-written-now-and-then", "capacity", capacity.KEPT, ((
        ALLOCATION, "            used=alloc.used)\n        res =",
        "            used=max(1, alloc.used // 2))\n        res ="),)),
    Broken("read-committed", "capacity", capacity.WITHIN,
           session("innodb_snapshot_isolation=OFF, transaction_isolation=\"READ-COMMITTED\"")),
    Broken("no-snapshot-isolation", "capacity", capacity.WITHIN,
           session("innodb_snapshot_isolation=OFF")),
    # Atomicity
    Broken("a-move-is-two-transactions", "moves", moves.CONSERVED, (
        ("handlers/allocation.py", CLAIMS,
         "        import time\n"
         "        for consumer in {one.consumer.uuid for one in allocations}:\n"
         "            alloc_obj.replace_all(\n"
         "                ctx, [a for a in allocations if a.consumer.uuid == consumer])\n"
         "            ctx.session.commit()\n"
         "            time.sleep(0.05)\n"
         "        LOG.debug(\"Successfully"),)),
    Broken("a-reshape-is-several-transactions", "reshape", reshape.ATOMIC, ((
        "objects/reshaper.py", "    alloc_obj.replace_all(ctx, allocations)\n",
        "    _split(ctx, allocations)\n"), (
        "objects/reshaper.py", "@db_api.placement_context_manager.writer\ndef reshape",
        "def _split(ctx, allocations):\n"
        "    import time\n"
        "    first = [one for one in allocations if one.resource_class == 'VCPU']\n"
        "    alloc_obj.replace_all(ctx, first)\n"
        "    ctx.session.commit()\n"
        "    time.sleep(0.1)\n"
        "    alloc_obj.replace_all(ctx, allocations)\n\n\n"
        "@db_api.placement_context_manager.writer\ndef reshape"),)),
    # What is there in the end
    Broken("an-inventory-is-not-updated", "provider-generation",
           provider_generation.LAST, ((
        PROVIDER, "    if to_update:\n", "    if False and to_update:\n"),)),
    Broken("a-refused-claim-leaves-its-consumer", "failed-claims", failed_claims.NO_CONSUMER, ((
        "handlers/allocation.py", "    for consumer in consumers:\n        try:\n",
        "    for consumer in []:\n        try:\n"),)),
    Broken("inventories-are-cached", "read-your-write", read_your_write.SEEN, ((
        "objects/inventory.py", "    db_inv = _get_inventory_by_provider_id(context, rp.id)\n",
        "    db_inv = _cache.setdefault(\n"
        "        rp.id, _get_inventory_by_provider_id(context, rp.id))\n"), (
        "objects/inventory.py", "def get_all_by_resource_provider",
        "_cache = {}\n\n\ndef get_all_by_resource_provider"),)),
    Broken("a-claimed-provider-can-be-deleted", "delete-claimed", delete_claimed.EITHER, ((
        PROVIDER, "        if rp_allocations:\n", "        if False and rp_allocations:\n"),)),
    Broken("a-deleted-provider-leaves-its-inventory", "delete-claimed", integrity.INTACT, ((
        PROVIDER, "        query.delete(synchronize_session=False)\n        # Delete any aggregate",
        "        # Delete any aggregate"),)),
    Broken("each-maker-of-a-trait-has-made-it", "create-same", create_same.ONE_MADE, ((
        "handlers/trait.py", "    status = 204\n", "    status = 201\n"),)),
    Broken("a-trait-is-acknowledged-and-not-made", "create-same", create_same.ONE_THERE, ((
        "handlers/trait.py", "            trait.create()\n            status = 201\n",
        "            status = 201\n"),)),
    Broken("a-child-is-a-root-of-its-own", "create-same", integrity.INTACT, ((
        PROVIDER, "        if root_id is None:\n", "        if True:\n"),)),
    # The database's own default on a machine that is not to lose anything is 1, the stack's is 2.
    Broken("commits-are-not-flushed", "capacity", capacity.KEPT, (),
           setting="innodb_flush_log_at_trx_commit = 0", fault="kill-database"),
)  # fmt: skip


def checkout(tree: Path) -> Path:
    """The locked release, as a directory with sources to be edited."""
    spec = find_spec("placement")
    assert spec is not None
    package = next(iter(spec.submodule_search_locations or ()))
    shutil.copytree(package, tree / "placement", ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "setup.cfg").write_text(SETUP)
    (tree / "setup.py").write_text("import setuptools\nsetuptools.setup(pbr=True)\n")
    distribution = next(Path(package).parent.glob("openstack_placement-*.dist-info"))
    # A checkout's version is git's, or stands here.
    shutil.copy(distribution / "METADATA", tree / "PKG-INFO")
    lines = (distribution / "METADATA").read_text().splitlines()
    wanted = [line.split(": ", 1)[1] for line in lines if line.startswith("Requires-Dist: ")]
    requirements = [line for line in wanted if "extra ==" not in line]
    (tree / "requirements.txt").write_text("\n".join(requirements) + "\n")
    return tree
