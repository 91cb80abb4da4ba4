"""Imports the handlers and fixtures that a project adds to gabbi, by their dotted names."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from gabbi import handlers  # type: ignore[import-untyped]

from harness.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Extensions:
    """Arguments of gabbi's ``build_tests`` besides the suites."""

    fixture_modules: Sequence[Any] = ()
    inner_fixtures: Sequence[type] = ()
    handlers: Sequence[Any] = field(
        default_factory=lambda: [handler() for handler in handlers.RESPONSE_HANDLERS]
    )
    safe_yaml: bool = True
    # Whether each suite begins with an empty placement.
    empty: bool = False

    def fixture(self, name: str) -> type | None:
        """The suite fixture of this name; None when no module has it."""
        for module in self.fixture_modules:
            fixture: type | None = getattr(module, name, None)
            if fixture is not None:
                return fixture
        return None


def load(
    *,
    fixture_modules: Sequence[str],
    inner_fixtures: Sequence[str],
    response_handlers: Sequence[str],
    content_handlers: Sequence[str],
    safe_yaml: bool,
    empty: bool = False,
) -> Extensions:
    """Import the modules and classes in the settings. Raises UsageError for missing ones."""
    added = _classes("gabbi_content_handlers", content_handlers)
    added += _classes("gabbi_response_handlers", response_handlers)
    return Extensions(
        [_module("gabbi_fixture_modules", name) for name in fixture_modules],
        _classes("gabbi_inner_fixtures", inner_fixtures),
        [handler() for handler in added + list(handlers.RESPONSE_HANDLERS)],
        safe_yaml,
        empty,
    )


def _module(setting: str, name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise UsageError(
            f"{setting} names {name}, which cannot be imported: {error}.",
            "Check the name, and that pytest's `pythonpath` setting leads to it.",
        ) from error


def _classes(setting: str, names: Sequence[str]) -> list[Any]:
    """The classes with these names, written module:Class or module.Class."""
    classes = []
    for name in names:
        module, _, attribute = name.replace(":", ".").rpartition(".")
        if not module:
            raise UsageError(
                f"{setting} names {name}, which is not a dotted name.",
                "Write it as package.module:Class.",
            )
        try:
            classes.append(getattr(_module(setting, module), attribute))
        except AttributeError as error:
            raise UsageError(
                f"{setting} names {name}, but {module} has no {attribute}.", "Check the name."
            ) from error
    return classes
