"""Name the libraries that placement's modules refer to, in the order in which they do."""

import sys
import types
from collections.abc import Iterator

import placement.wsgi  # noqa: F401  (for all that it imports)

# What it loads by name, when it is configured.
BY_NAME = ("keystoneauth1.identity", "pymysql", "sqlalchemy.dialects.mysql.pymysql")


def referred() -> Iterator[object]:
    """The names of modules, and of those that what is no module comes from; None for a constant."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "placement":
            for value in vars(module).values():
                is_module = isinstance(value, types.ModuleType)
                yield value.__name__ if is_module else getattr(value, "__module__", None)


for name in dict.fromkeys((*referred(), *BY_NAME)):
    if isinstance(name, str) and name.partition(".")[0] not in ("placement", "_frozen_importlib"):
        print(name)
