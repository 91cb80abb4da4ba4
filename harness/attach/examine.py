"""Looks at a cloud from where its replicas will stand, and says what keeps them from serving it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from harness.attach.cloud import AUTH_URL, FOLDER, MEMCACHED, Cloud
from harness.attach.snapshot import Rows
from harness.core.errors import StackError, UsageError
from harness.engine.docker import current
from harness.placements.model import Schema
from harness.stack import project
from harness.stack.images.catalogue import IMAGES
from harness.stack.model import lanes
from harness.stack.model.record import Installed
from harness.stack.operations.placement_options import PYTHON

# The tables of a large cloud have millions of rows.
SECONDS = 300.0
HOST = "host"
SHOWN = 5


@dataclass(frozen=True, slots=True)
class View:
    """The place of replicas: their placement, the network, the folder with the cloud's files."""

    placement: Installed
    network: str
    folder: str

    @property
    def title(self) -> str:
        return "this machine" if self.network == HOST else f"the network {self.network}"

    def ask(self, cloud: Cloud, *, rows: bool = False) -> dict[str, Any]:
        """The answer of inside.py; with ``rows``, of the database alone. Raises StackError."""
        script = files("harness.attach").joinpath("inside.py").read_text()
        question = {"settings": dict(cloud.settings), "rows": rows}
        confined = project.confined(self.placement)
        once = replace(
            confined,
            network=self.network,
            # The database needs none of the files.
            volumes={**confined.volumes, **({} if rows else {self.folder: FOLDER})},
            stdin=json.dumps(question).encode(),
        )
        image = IMAGES[lanes.SERVICE].tag(self.placement.content)
        done = current().run(image, PYTHON, "-c", script, seconds=SECONDS, once=once)
        try:
            if done.ok:
                answer: dict[str, Any] = json.loads(done.out.splitlines()[-1])
                return answer
        except (ValueError, IndexError):
            pass
        raise StackError(
            f"The cloud could not be looked at from {self.title}: {done.reason}.",
            "See which networks there are: docker network ls. With --network host, the cloud is "
            "seen as from this machine.",
            evidence=done.evidence,
        )


def rows(view: View, cloud: Cloud) -> Rows:
    """Digests of the rows that the cloud's database has now. Raises StackError."""
    return _rows(view.ask(cloud, rows=True), view, cloud)


@dataclass(frozen=True, slots=True, repr=False)
class Finding:
    """A cloud that replicas can serve: what its database has, and a token of placement's user."""

    rows: Rows
    token: str
    has_memcached: bool


def examine(view: View, cloud: Cloud, schema: Schema, *, may_add: bool) -> Finding:
    """Look at all that replicas need. Raises StackError for the first thing that is missing.

    ``may_add`` lets replicas add standard traits and classes that the database lacks.
    """
    answer = view.ask(cloud)
    there = _rows(answer, view, cloud)
    _refuse_schema(answer["database"]["revision"], schema, view, cloud)
    missing = answer["database"]["missing"]
    if missing and not may_add:
        raise _would_add(missing, view)
    silent = {name: why for name, why in answer["memcached"].items() if why}
    if silent:
        name, why = next(iter(silent.items()))
        raise StackError(
            f"memcached at {name} ({MEMCACHED}) does not answer {view.title}: {why}.",
            _elsewhere(view, MEMCACHED),
        )
    if "error" in answer["keystone"]:
        raise StackError(
            f"keystone at {cloud.settings[AUTH_URL]} gives {view.title} no token for placement's "
            f"user: {answer['keystone']['error'].rstrip('.')}.",
            _elsewhere(view, AUTH_URL),
        )
    return Finding(there, answer["keystone"]["token"], bool(answer["memcached"]))


def _rows(answer: Mapping[str, Any], view: View, cloud: Cloud) -> Rows:
    if "error" in answer["database"]:
        raise StackError(
            f"{view.title[0].upper()}{view.title[1:]} cannot reach the cloud's database "
            f"{cloud.place}: {answer['database']['error'].rstrip('.')}.",
            _elsewhere(view, "placement_database/connection"),
        )
    tables: Rows = answer["database"]["tables"]
    return tables


def _elsewhere(view: View, setting: str) -> str:
    if view.network == HOST:
        return f"Is {setting} the address that this machine has for it? If not, correct it."
    return (
        f"Is {setting} an address in the network {view.network}? There, localhost is the replica's "
        "own container. With --network host, replicas see what this machine sees."
    )


def _refuse_schema(revision: str | None, schema: Schema, view: View, cloud: Cloud) -> None:
    if revision == schema.head:
        return
    if revision is None:
        raise UsageError(
            f"The database {cloud.place} is none of placement's: it has no table alembic_version.",
            "Give the placement.conf that the cloud's placement reads.",
        )
    older = revision in schema.known
    raise UsageError(
        f"The cloud's database has the schema {revision}; placement {view.placement.title} has "
        f"{schema.head}, which is {'newer' if older else 'another or older'}. Nothing was changed: "
        "attach migrates no database.",
        "Run the release of the cloud: --placement VERSION.",
    )


def _would_add(missing: Sequence[str], view: View) -> StackError:
    names = ", ".join(missing[:SHOWN]) + (", …" if len(missing) > SHOWN else "")
    return StackError(
        f"placement {view.placement.title} would add {len(missing)} standard "
        f"trait{'' if len(missing) == 1 else 's'} or resource classes to the cloud's database when "
        f"it starts: {names}.",
        "Run the release of the cloud (--placement VERSION), or allow it: --add-traits.",
    )
