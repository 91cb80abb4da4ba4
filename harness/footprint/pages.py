"""A footprint as a page: a treemap of the image, and the import graph, in one file."""

from pathlib import Path
from typing import Any

from harness.footprint.measure import Footprint
from harness.report.page import filled

TEMPLATE = Path(__file__).with_name("page.html")


def page(footprint: Footprint) -> str:
    """The page. It loads nothing, from nowhere."""
    return filled(TEMPLATE, "Footprint", _data(footprint))


def _data(footprint: Footprint) -> dict[str, Any]:
    loading = footprint.loading
    return {
        "title": footprint.title,
        "python": loading.python,
        "size": footprint.size,
        "seconds": loading.seconds,
        "memory": dict(loading.memory),
        "parts": [
            [part.distribution, part.package, part.path, part.size] for part in footprint.parts
        ],
        "modules": [
            [
                module.name,
                footprint.distributions[module.name],
                module.microseconds,
                module.importer,
                [*loading.importers.get(module.name, ())],
            ]
            for module in footprint.modules
        ],
        "options": [
            [f"{o.group}.{o.name}", o.where, o.value, o.default, o.read] for o in loading.options
        ],
    }
