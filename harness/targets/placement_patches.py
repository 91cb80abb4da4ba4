"""What placement in this process does once, and not anew for each suite or request.

Its answers are the same. Each of these is placement's or its tests' own work, repeated.
"""

import functools
import sqlite3
from importlib import import_module
from types import SimpleNamespace
from typing import Any


def reuse_schema(database: Any) -> None:
    """Let upstream's database fixture copy the first schema that it made, with the traits in it.

    It makes one for each suite, which takes 0.1 s, and drops each table in the end, which takes
    30 ms; a copy takes 2 ms, and nothing is left to be dropped where an empty database was copied.
    """
    original = database.generate_schema_create_all
    if getattr(original, "copies", False):
        return
    clean = database._cleanup
    template, empty = (sqlite3.connect(":memory:", check_same_thread=False) for _ in range(2))
    made = False

    def generate(self: Any, engine: Any) -> None:
        nonlocal made
        self.raw = raw = engine.raw_connection().driver_connection
        if not made:
            original(self, engine)
            raw.backup(template)
            made = True
            return
        template.backup(raw)
        manager = import_module("placement.db_api").placement_context_manager
        self.addCleanup(manager.patch_engine(engine))
        self.addCleanup(self.cleanup)
        synced(True)

    def cleanup(self: Any) -> None:
        empty.backup(self.raw)
        clean(self)

    generate.copies = True  # type: ignore[attr-defined]
    database.generate_schema_create_all = generate
    database._cleanup = cleanup


class _CheckedOnce:
    """A validator class of jsonschema's, which checks a schema the first time that it is used."""

    def __init__(self, validator: Any) -> None:
        self._validator = validator
        # By identity. They are kept, so that none of them can get the identity of another one.
        self._checked: dict[int, Any] = {}

    def check_schema(self, schema: Any) -> None:
        if id(schema) not in self._checked:
            self._validator.check_schema(schema)
            self._checked[id(schema)] = schema

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._validator(*arguments, **named)


def check_schemas() -> None:
    """Let placement check its own JSON schemas once, in place of once for each request that it
    validates, which is an eighth of a run. Requests are validated as ever."""
    util: Any = import_module("placement.util")
    jsonschema = util.jsonschema
    if isinstance(jsonschema, SimpleNamespace):
        return
    once = _CheckedOnce(jsonschema.validators.validator_for({}))
    validate = functools.partial(jsonschema.validate, cls=once)
    util.jsonschema = SimpleNamespace(**{**vars(jsonschema), "validate": validate})


def synced(value: bool) -> None:
    """Tell placement whether it has written its traits and classes to this database."""
    for module, name in (
        ("trait", "_TRAITS_SYNCED"),
        ("resource_class", "_RESOURCE_CLASSES_SYNCED"),
    ):
        setattr(import_module(f"placement.objects.{module}"), name, value)
