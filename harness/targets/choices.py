"""The names that settings can have."""

from collections.abc import Collection, Mapping

from harness.stack.settings.config_sources import SOURCES
from harness.stack.settings.databases import DATABASES
from harness.targets import TARGETS

CHOICES: Mapping[str, Collection[str]] = {
    "target": TARGETS,
    "database": DATABASES,
    "config_source": SOURCES,
}
