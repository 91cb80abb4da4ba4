"""Prepares the placements of a stack, of replicas or of the reference, for upstream's suites."""

import contextlib
from collections.abc import Callable, Iterator, Mapping

from harness.core.errors import UsageError
from harness.stack.clients.database import Schema
from harness.stack.lifecycle.running import RunningStack
from harness.stack.model import policies
from harness.targets.base import Stage
from harness.upstream import identities
from harness.upstream.fixture_data import Fixture, Rows

# Variables with this in their names hold ids of projects, which keystone has to know.
PROJECT = "PROJECT_ID"


class Stages:
    """The lanes of a stack as one process stages them; it keeps a connection to each schema.

    ``lane`` is the process's own; suites with a profile of their own have another one. ``name_of``
    gives the name of a lane's schema and policy, ``url_of`` the address at whose root its placement
    is.
    """

    def __init__(
        self,
        stack: RunningStack,
        lane: str,
        name_of: Callable[[str], str],
        url_of: Callable[[str], str],
    ) -> None:
        self._stack = stack
        self._lane = lane
        self._name_of = name_of
        self._url_of = url_of
        self._schemas: dict[str, Schema] = {}

    @contextlib.contextmanager
    def stage(self, fixture: Fixture) -> Iterator[Stage]:
        """An empty placement but for what the scene has. Raises UsageError without its lane."""
        state, users, scene = self._stack.state, self._stack.users, fixture.scene()
        special = bool(scene.profile.environment)
        lane = scene.profile.name if special else self._lane
        if lane not in self._stack.record.lanes:
            raise UsageError(
                f"{fixture.name} wants a placement to itself, lane {lane}, which the stack "
                f"{self._stack.name} was started without.",
                "Name the suite when the run begins: --suite FILE.",
            )
        name = self._name_of(lane)
        with state.taking(f"lane-{name}") if special else contextlib.nullcontext():
            real = {
                value: users.project(f"${variable}")
                for variable, value in scene.environ.items()
                if PROJECT in variable
            }
            if name not in self._schemas:
                self._schemas[name] = self._stack.schema(name)
            self._schemas[name].reset(_replaced(scene.rows, real))
            policies.set_policy(state, name, scene.profile.rules)
            environ = {key: real.get(value, value) for key, value in scene.environ.items()}
            try:
                yield Stage(self._url_of(lane), environ, self._sent)
            finally:
                policies.set_policy(state, name, {})

    def _sent(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        given = {name.lower(): value for name, value in headers.items()}
        if given.get(identities.TOKEN) == self._stack.token():
            # A suite that takes $ENVIRON['SERVICE_TOKEN'] has a token of keystone's already.
            return headers
        identity, others = identities.read(headers)
        if identity is None:
            return others
        return {**others, "x-auth-token": self._stack.users.token(identity)}


def _replaced(rows: Rows, real: Mapping[str, str]) -> Rows:
    """Rows with the ids of real projects."""
    return {
        table: [
            {name: real.get(value, value) for name, value in row.items()} for row in rows[table]
        ]
        for table in rows
    }
