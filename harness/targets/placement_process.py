"""The module variables of placement, with values for each application in this process.

placement is written for one application a process: database, policy and flags are module variables.
A target has a ``ProcessState`` with values of these variables, and installs it for the time of a
request. So targets in one process do not meet, and nothing is changed between requests.
"""

import contextlib
import functools
import sqlite3
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from harness.targets.wsgi import Application, whole

# One request at a time: the variables belong to the process, and an in-memory SQLite database is
# one connection.
_turn = threading.RLock()


class ProcessState:
    """Values of placement's module variables, for one application.

    Begins with those of a fresh process. Imports placement: raises ImportError without it.
    """

    def __init__(self) -> None:
        manager = import_module("placement.db_api").placement_context_manager
        self._values: dict[tuple[Any, str], Any] = {
            (import_module("placement.policy"), "_ENFORCER"): None,
            (import_module("placement.objects.trait"), "_TRAITS_SYNCED"): False,
            (import_module("placement.objects.resource_class"), "_RESOURCE_CLASSES_SYNCED"): False,
            # Private to oslo.db: its public patch_factory() sets this, and nothing reads it.
            (manager, "_root_factory"): manager._root_factory,
        }

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Let a variable have this value, too, while the state is installed."""
        self._values[owner, name] = value

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Let placement use these values; afterwards keep what it made of them, and put back the
        values from before."""
        with _turn:
            before = {(owner, name): getattr(owner, name) for owner, name in self._values}
            _set(self._values)
            try:
                yield
            finally:
                for owner, name in self._values:
                    self._values[owner, name] = getattr(owner, name)
                _set(before)

    def wrap(self, application: Application) -> Application:
        """The application with this state installed during each request."""

        def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            with self.installed():
                return whole(application(environ, start_response))

        return call


def _set(values: dict[tuple[Any, str], Any]) -> None:
    for (owner, name), value in values.items():
        setattr(owner, name, value)


class SchemaTemplate:
    """The schema that upstream's database fixture makes, kept for the next fixture.

    The fixture makes a schema for each suite in 0.1 s, and drops each table in 30 ms. Copying a
    SQLite database takes 2 ms, and after the copy of an empty one there is no table to drop.
    """

    def __init__(self) -> None:
        self._template, self._empty = (
            sqlite3.connect(":memory:", check_same_thread=False) for _ in range(2)
        )
        self._made = False

    def copying(self, fixture: Any) -> Any:
        """A subclass of the fixture that copies the template, with traits and classes in it."""
        template = self

        class Copying(fixture):  # type: ignore[misc]
            def generate_schema_create_all(self, engine: Any) -> None:
                self._raw = engine.raw_connection().driver_connection
                if not template._made:
                    super().generate_schema_create_all(engine)
                    self._raw.backup(template._template)
                    template._made = True
                    return
                template._template.backup(self._raw)
                manager = import_module("placement.db_api").placement_context_manager
                self.addCleanup(manager.patch_engine(engine))
                self.addCleanup(self.cleanup)
                trait: Any = import_module("placement.objects.trait")
                trait._TRAITS_SYNCED = True
                resource_class: Any = import_module("placement.objects.resource_class")
                resource_class._RESOURCE_CLASSES_SYNCED = True

            def _cleanup(self) -> None:
                template._empty.backup(self._raw)
                super()._cleanup()

        return Copying


class _CheckedOnce:
    """A validator class of jsonschema, which checks each schema when it is first used."""

    def __init__(self, validator: Any) -> None:
        self._validator = validator
        # By identity. The schemas are kept, so that no other object can get their identity.
        self._checked: dict[int, Any] = {}

    def check_schema(self, schema: Any) -> None:
        if id(schema) not in self._checked:
            self._validator.check_schema(schema)
            self._checked[id(schema)] = schema

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._validator(*arguments, **named)


def checking_once(jsonschema: Any) -> SimpleNamespace:
    """The module jsonschema with a ``validate`` that checks a schema once.

    placement checks its schemas for each request that it validates, which takes an eighth of a run.
    Requests are validated each time.
    """
    validator = _CheckedOnce(jsonschema.validators.validator_for({}))
    validate = functools.partial(jsonschema.validate, cls=validator)
    return SimpleNamespace(**{**vars(jsonschema), "validate": validate})
